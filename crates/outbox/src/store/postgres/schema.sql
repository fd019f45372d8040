-- The schema of lastmile-outbox, version 1.

create table lastmile_order (
  id            bigint generated always as identity primary key,
  key           text not null unique,              -- chosen by the caller; never used twice, not even after an erasure
  supplier      text not null,                     -- 'onapi', or 'onapi/NETWORK'
  kind          text not null,                     -- 'onapi.order'
  digest        text not null,                     -- of supplier, kind and request: tells another request under a used key
  state         text not null default 'ready'
                check (state in ('ready','in_flight','indeterminate','following','needs_person','placed','refused','cancelled')),
  body          text,                              -- the prepared value; never jsonb, which would change digits
  due           timestamptz default now(),         -- when a worker continues, or the end of its lease; null: nothing to do
  owner         text,                              -- the worker that holds the lease
  epoch         bigint not null default 0,         -- counts claims and decisions; a write with an old epoch changes nothing
  mark          bigint not null default 0,         -- counts the times that the order was about to be sent
  settled_at    timestamptz,                       -- until then the supplier may still process what was sent
  mark_may_be_lost boolean not null default false, -- a failover may have undone a mark
  crashes       bigint not null default 0,         -- workers in a row that held the order and did not give it back
  attempts      bigint not null default 0,         -- tries in a row without progress
  doubts        bigint not null default 0,         -- those of them that do not pass by themselves
  step          bigint not null default 0,         -- of a chain
  step_marks    text not null default '',          -- the mark at the end of each step that is done, with a space after each
  decision      text,                              -- of a person, which a worker applies
  decision_data text,
  reason        text,
  manual_check  text,                              -- what a person has to check; only in needs_person
  result        text,                              -- what the supplier created
  erased        boolean not null default false,
  enqueued_at   timestamptz not null default now(),
  finished_at   timestamptz,
  check ((due is null) = (state in ('needs_person','placed','refused','cancelled'))),
  check ((finished_at is null) = (state not in ('placed','refused','cancelled')))
)
-- Each order is updated four times within seconds, and a mark fits into the same page. The thresholds of autovacuum are absolute,
-- because a share of millions of finished orders would be far too many dead rows in the index of the active ones.
with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
      autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);

-- Finished orders have no due time: however many there are, the index for claims holds the active ones only.
create index lastmile_order_due on lastmile_order (supplier, due) where due is not null;
create index lastmile_order_person on lastmile_order (id) where manual_check is not null;
create index lastmile_order_finished on lastmile_order (finished_at) where finished_at is not null and not erased;

create table lastmile_event (
  id       bigint generated always as identity primary key,
  order_id bigint not null references lastmile_order (id),
  step     bigint not null,
  what     text not null,
  data     text,
  at       timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index lastmile_event_order on lastmile_event (order_id);

create table lastmile_consumer (name text primary key);

-- One row for each consumer and event, written with the event, so that no event is missed because its transaction commits later
-- than one with a higher number. The row goes when the consumer acknowledges.
create table lastmile_delivery (
  consumer    text not null,
  event_id    bigint not null references lastmile_event (id) on delete cascade,
  taken_until timestamptz not null default '-infinity',
  primary key (consumer, event_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index lastmile_delivery_event on lastmile_delivery (event_id);

-- What people decided. Retention does not touch it; an erasure clears the notes.
create table lastmile_audit (
  id       bigint generated always as identity primary key,
  order_id bigint not null references lastmile_order (id),
  who      text not null,
  what     text not null,
  why      text,
  at       timestamptz not null default now()
);
create index lastmile_audit_order on lastmile_audit (order_id);

create table lastmile_pace (
  supplier   text primary key,
  arrival    timestamptz not null default '-infinity',   -- theoretical arrival time of the next order
  not_before timestamptz not null default '-infinity'    -- Retry-After
) with (fillfactor = 50);

-- The history that the database continues: a server that was promoted, or restored from a backup of the whole cluster with its
-- archive, starts another one. Commits of the former primary may be missing, and with them marks of orders that were sent. A volume that
-- was rolled back, a snapshot of a virtual machine, and a dump that was restored into the same cluster continue the same timeline: they
-- are not noticed.
create table lastmile_timeline (
  is_only    boolean primary key default true check (is_only),
  timeline   text,                                 -- null: this database does not tell
  changed_at timestamptz not null default '-infinity'
);

-- Returns the identifier of the cluster and the timeline of its write-ahead log, or null where they cannot be read. With the privileges
-- of its owner, so that all roles read the same: a difference counts as a change.
create function lastmile_current_timeline() returns text language plpgsql
security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (select s.system_identifier from pg_control_system() s) || '/'
    || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8);
exception when others then
  return null;
end $$;

insert into lastmile_timeline (timeline) values (lastmile_current_timeline());

-- Responses that arrived after their worker had lost the order.
create table lastmile_late (
  id       bigint generated always as identity primary key,
  order_id bigint not null references lastmile_order (id),
  mark     bigint not null,
  state    text not null,
  result   text,
  outcome  text not null,
  at       timestamptz not null default now()
);

-- Enqueues an order, in the transaction of the caller. Returns whether it is new. Another request under a used key is an error.
-- A function, because its statements see what another transaction has committed while this one waited for it.
create function lastmile_enqueue(p_key text, p_supplier text, p_kind text, p_digest text, p_body text) returns boolean
language plpgsql as $$
declare
  known text;
begin
  insert into lastmile_order (key, supplier, kind, digest, body)
    values (p_key, p_supplier, p_kind, p_digest, p_body) on conflict (key) do nothing;
  if found then
    return true;
  end if;
  select digest into known from lastmile_order where key = p_key;
  if known is distinct from p_digest then
    raise exception 'lastmile_outbox: the key belongs to another request' using errcode = 'LM001';
  end if;
  return false;
end $$;

-- Claims orders that are due, as many as the pace allows. A function, because the lock on the pace must not wait for a client that
-- is paused between two statements. p_gap_us is 0 without a pace. For p_quiet_ms after the timeline has changed, no order is claimed
-- that would be sent: what was sent on the former timeline arrives in that time, so that a look-up finds it. p_latest_ms is the time,
-- in milliseconds since 1970, that this clock does not show yet by the worker's reckoning: then it was set forward, and settle times
-- would end too early.
create function lastmile_claim(
  p_supplier text, p_limit bigint, p_owner text, p_lease_ms bigint, p_quiet_ms bigint, p_gap_us bigint, p_burst bigint,
  p_latest_ms bigint
) returns setof lastmile_order
language plpgsql as $$
declare
  gap interval := p_gap_us * interval '1 microsecond';
  allowed bigint := p_limit;
  earliest timestamptz;
  claimed bigint;
  this_timeline text := lastmile_current_timeline();
  known_timeline text;
  known_change timestamptz;
  is_new boolean;
  quiet interval := p_quiet_ms * interval '1 millisecond';
  sends boolean;
begin
  if extract(epoch from clock_timestamp()) * 1000 > p_latest_ms then
    raise exception 'lastmile_outbox: the clock of the database is ahead' using errcode = 'LM002';
  end if;
  select t.timeline, t.changed_at + quiet <= clock_timestamp() into known_timeline, sends from lastmile_timeline t;
  if not found or this_timeline is distinct from known_timeline then
    -- The row may have been lost, too.
    insert into lastmile_timeline (timeline, changed_at) values (this_timeline, clock_timestamp()) on conflict do nothing;
    is_new := found;
    select t.timeline, t.changed_at into known_timeline, known_change from lastmile_timeline t for update;
    if not is_new and known_timeline is null and known_change = '-infinity' then
      -- It could never be read before.
      update lastmile_timeline set timeline = this_timeline;
    elsif is_new or this_timeline is distinct from known_timeline then
      raise warning 'lastmile_outbox: the database has failed over or was restored; nothing is sent for a while';
      update lastmile_timeline set timeline = this_timeline, changed_at = clock_timestamp();
      -- Whatever could be claimed on the former timeline may have been marked and sent there. The former primary may have been ahead of
      -- this clock, or may have gone on for a while. An order that was followed may have come to its next step.
      update lastmile_order
        set mark_may_be_lost = true, settled_at = greatest(settled_at, clock_timestamp() + quiet)
        where due is not null and (due <= clock_timestamp() + quiet or owner is not null);
      -- A person may have decided there.
      update lastmile_order
        set mark_may_be_lost = true, settled_at = greatest(settled_at, clock_timestamp() + quiet)
        where manual_check is not null;
    end if;
    return;
  end if;
  if exists (select from lastmile_pace p where p.supplier = p_supplier and p.not_before > clock_timestamp()) then
    return;
  end if;
  if p_gap_us > 0 then
    insert into lastmile_pace (supplier) values (p_supplier) on conflict do nothing;
    select greatest(p.arrival, clock_timestamp()) into earliest
      from lastmile_pace p where p.supplier = p_supplier for update;
    allowed := least(p_limit,
      floor(extract(epoch from clock_timestamp() + p_burst * gap - earliest) / extract(epoch from gap)));
    if allowed <= 0 then
      return;
    end if;
  end if;
  return query
    -- materialized: a subquery that is evaluated again would claim more than the limit. now(), because a volatile function is no
    -- condition of an index: every order that is due later would be read.
    with due_now as materialized (
      select o.id from lastmile_order o
      where o.supplier = p_supplier and o.due <= now() and (sends or o.state <> 'ready')
      order by o.due limit allowed for update skip locked)
    update lastmile_order o
      set crashes = o.crashes + (o.owner is not null)::int, owner = p_owner, epoch = o.epoch + 1,
          due = clock_timestamp() + p_lease_ms * interval '1 millisecond'
      from due_now where o.id = due_now.id
      returning o.*;
  get diagnostics claimed = row_count;
  if p_gap_us > 0 and claimed > 0 then
    update lastmile_pace set arrival = earliest + claimed * gap where supplier = p_supplier;
  end if;
end $$;
