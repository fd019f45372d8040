//! A test of the stores against a model: random operations of several workers and a person, on a few orders.
//!
//! The model is what the documentation of the states says. Time does not pass: a lease has either ended or lasts an hour.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::enqueue::NewOrder;
use crate::machine::{Booking, Tries};
use crate::outbox::Outbox;
use crate::store::{Claim, Decision, Fence, Late};
use crate::{Enqueued, Error, State};

const HOUR: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
struct Row {
    digest: usize,
    state: State,
    due: bool,
    owner: Option<String>,
    epoch: i64,
    mark: i64,
    crashes: i64,
    decision: Option<String>,
    /// Whether the supplier may still process what was sent.
    settles: bool,
    audits: usize,
}

/// An order that a worker holds, or believes to hold.
#[derive(Clone, Debug)]
struct Held {
    key: String,
    fence: Fence,
    /// Whether its lease lasts.
    lasts: bool,
}

struct Model {
    rows: BTreeMap<String, Row>,
    held: Vec<Held>,
    ids: BTreeMap<i64, String>,
    chance: fastrand::Rng,
}

fn order(key: &str, request: usize) -> NewOrder {
    NewOrder {
        key: key.to_owned(),
        supplier: "fake".to_owned(),
        kind: "fake.order".to_owned(),
        digest: request.to_string(),
        body: key.to_owned(),
    }
}

fn booking(state: State, due: bool) -> Booking {
    let booking = match state {
        State::Placed => Booking::placed(Some("{}".to_owned())),
        State::NeedsPerson => Booking::needs_person("why", "what"),
        state => Booking { state, event: None, manual_check: None, ..Booking::placed(None) },
    };
    Booking { due: if due { Duration::ZERO } else { HOUR }, tries: Tries::default(), ..booking }
}

impl Model {
    async fn step(&mut self, outbox: &Outbox) {
        match self.chance.u8(0..7) {
            0 => self.enqueue(outbox).await,
            1 | 2 => self.claim(outbox).await,
            3 => self.mark(outbox).await,
            4 | 5 => self.book(outbox).await,
            _ => self.decide(outbox).await,
        }
    }

    async fn enqueue(&mut self, outbox: &Outbox) {
        let (key, request) = (format!("K{}", self.chance.u8(0..6)), self.chance.usize(0..10) / 9);
        let result = outbox.store.enqueue(&order(&key, request)).await;
        match self.rows.get(&key) {
            None => {
                assert_eq!(result.unwrap(), Enqueued::New);
                let row = Row {
                    digest: request,
                    state: State::Ready,
                    due: true,
                    owner: None,
                    epoch: 0,
                    mark: 0,
                    crashes: 0,
                    decision: None,
                    settles: false,
                    audits: 0,
                };
                self.rows.insert(key, row);
            }
            Some(row) if row.digest == request => assert_eq!(result.unwrap(), Enqueued::Known),
            Some(_) => assert!(matches!(result, Err(Error::KeyUsed))),
        }
    }

    async fn claim(&mut self, outbox: &Outbox) {
        let lasts = self.chance.bool();
        let claim = Claim {
            supplier: "fake".to_owned(),
            owner: format!("w{}", self.chance.u8(0..3)),
            limit: self.chance.i64(1..4),
            lease: if lasts { HOUR } else { Duration::ZERO },
            quiet: Duration::ZERO,
            pace: None,
            latest: None,
        };
        let due = self.rows.values().filter(|row| row.due).count();
        let claimed = outbox.store.claim(&claim).await.unwrap();
        assert_eq!(claimed.len(), due.min(usize::try_from(claim.limit).unwrap()));
        for one in claimed {
            let key = self.ids.entry(one.fence.id).or_default().clone();
            let key = if key.is_empty() { self.key_of(&one.body) } else { key };
            self.ids.insert(one.fence.id, key.clone());
            let row = self.rows.get_mut(&key).unwrap();
            assert!(row.due, "{key} is not due");
            row.crashes += i64::from(row.owner.is_some());
            row.owner = Some(claim.owner.clone());
            row.epoch += 1;
            row.due = !lasts;
            let expected = (row.state, row.epoch, row.mark, row.crashes, row.decision.clone());
            let found = (one.state, one.fence.epoch, one.fence.mark, one.crashes, one.decision);
            assert_eq!(found, expected, "{key}");
            self.held.push(Held { key, fence: one.fence, lasts });
        }
    }

    fn key_of(&self, body: &Option<String>) -> String {
        body.as_ref().filter(|body| self.rows.contains_key(*body)).cloned().unwrap()
    }

    fn some_held(&mut self) -> Option<Held> {
        (!self.held.is_empty()).then(|| self.held[self.chance.usize(..self.held.len())].clone())
    }

    fn holds(&self, held: &Held) -> bool {
        let row = &self.rows[&held.key];
        row.owner.as_ref() == Some(&held.fence.owner) && row.epoch == held.fence.epoch
    }

    async fn mark(&mut self, outbox: &Outbox) {
        let Some(held) = self.some_held() else { return };
        let marked = outbox.store.mark(&held.fence, &held.key, Duration::from_secs(60), HOUR).await.unwrap();
        let allowed = self.holds(&held) && self.rows[&held.key].state == State::Ready && held.lasts;
        assert_eq!(marked, allowed, "{held:?} {:?}", self.rows[&held.key]);
        if marked {
            let row = self.rows.get_mut(&held.key).unwrap();
            (row.state, row.mark, row.settles) = (State::InFlight, row.mark + 1, true);
            for other in &mut self.held {
                if other.key == held.key && other.fence.epoch == held.fence.epoch {
                    other.fence.mark += 1;
                }
            }
        }
    }

    async fn book(&mut self, outbox: &Outbox) {
        let Some(held) = self.some_held() else { return };
        let states = [State::Ready, State::Indeterminate, State::NeedsPerson, State::Placed];
        let (state, due) = (states[self.chance.usize(..states.len())], self.chance.u8(..4) > 0);
        let mut booking = booking(state, due);
        // A call has ended, after which the supplier processes nothing or processes it for an hour.
        if state == State::Indeterminate {
            booking.settle = [None, Some(Duration::ZERO), Some(HOUR)][self.chance.usize(..3)];
        }
        let settle = booking.settle;
        let booked = outbox.store.book(&held.fence, &booking).await.unwrap();
        assert_eq!(booked, self.holds(&held), "{held:?}");
        let row = self.rows.get_mut(&held.key).unwrap();
        let write = |row: &mut Row| {
            row.state = state;
            row.due = due && state.is_active();
            (row.owner, row.crashes, row.decision) = (None, 0, None);
            row.settles = settle.map_or(row.settles, |time| !time.is_zero());
        };
        if booked {
            return write(row);
        }
        if state != State::Placed {
            return;
        }
        let late = outbox.store.book_late(&held.fence, &booking).await.unwrap();
        let expected = match row.state {
            _ if row.mark != held.fence.mark => Late::Contradicted,
            State::Placed => Late::Known,
            State::Refused | State::Cancelled => Late::Contradicted,
            _ => Late::Settled,
        };
        assert_eq!(late, expected, "{held:?} {row:?}");
        if late == Late::Settled {
            row.epoch += 1;
            write(row);
        }
    }

    async fn decide(&mut self, outbox: &Outbox) {
        let key = format!("K{}", self.chance.u8(0..6));
        let decision = match self.chance.u8(0..8) {
            0 => Decision::Cancel,
            1 => Decision::Placed(None),
            _ => Decision::Absent,
        };
        let result = outbox.store.decide(&key, &decision, "a person", "a reason").await;
        let Some(row) = self.rows.get_mut(&key) else {
            return assert!(matches!(result, Err(Error::NotFound)));
        };
        if !decision.allowed_in().contains(&row.state) {
            return assert!(matches!(result, Err(Error::NotAllowed(state)) if state == row.state));
        }
        if decision == Decision::Absent && row.settles {
            return assert!(matches!(result, Err(Error::TooEarly(left)) if left <= HOUR * 2));
        }
        result.unwrap();
        (row.owner, row.crashes, row.epoch, row.audits) = (None, 0, row.epoch + 1, row.audits + 1);
        row.decision = decision.pending().map(|(name, _)| name.to_owned());
        row.due = row.decision.is_some();
        row.state = if row.due { State::Indeterminate } else { State::Cancelled };
    }

    async fn compare(&self, outbox: &Outbox) {
        for (key, row) in &self.rows {
            let stored = outbox.store.order(key).await.unwrap().unwrap();
            let found =
                (stored.state(), stored.marks(), stored.crashes(), stored.decision().map(str::to_owned));
            assert_eq!(found, (row.state, row.mark, row.crashes, row.decision.clone()), "{key}");
            assert_eq!(stored.due().is_some(), row.state.is_active());
            assert_eq!(stored.manual_check().is_some(), row.state == State::NeedsPerson);
            assert_eq!(outbox.store.audit(key).await.unwrap().len(), row.audits);
        }
    }
}

async fn run(outbox: &Outbox, seed: u64, steps: usize) {
    outbox.migrate().await.unwrap();
    let mut model = Model {
        rows: BTreeMap::new(),
        held: Vec::new(),
        ids: BTreeMap::new(),
        chance: fastrand::Rng::with_seed(seed),
    };
    for _ in 0..steps {
        model.step(outbox).await;
        if model.held.len() > 24 {
            model.held.remove(0);
        }
    }
    model.compare(outbox).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite_behaves_as_the_model() {
    for seed in 0..12 {
        let name = format!("lastmile-outbox-model-{}-{seed}-{:x}.db", std::process::id(), fastrand::u64(..));
        let path = std::env::temp_dir().join(name);
        run(&Outbox::sqlite(&path).unwrap(), seed, 300).await;
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgresql_behaves_as_the_model() {
    let Some(server) = std::env::var("LASTMILE_TEST_POSTGRES").ok().filter(|config| !config.is_empty())
    else {
        return;
    };
    let admin: tokio_postgres::Config = server.parse().unwrap();
    let (client, connection) = admin.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for seed in 0..12 {
        let schema = format!("lastmile_model_{}_{seed}_{:x}", std::process::id(), fastrand::u64(..));
        client.batch_execute(&format!("create schema {schema}")).await.unwrap();
        let mut config: tokio_postgres::Config = server.parse().unwrap();
        config.options(format!("-c search_path={schema}"));
        run(&Outbox::postgres(config).unwrap(), seed, 300).await;
        client.batch_execute(&format!("drop schema {schema} cascade")).await.unwrap();
    }
}
