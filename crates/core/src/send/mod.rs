use std::pin::pin;
use std::time::{Duration, SystemTime};

use reqwest::{Request, Response, StatusCode};
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout};
use tracing::Instrument;
use tracing::field::Empty;

use super::attempt::{Failure, Seen, attempt};
use super::context::Context;
use super::error::Outcome;
use super::table::{Operation, Repeat};
use crate::auth::{NoToken, NoTokenKind, Token};
use crate::retry::{FAR, Turn, retry_after};

/// An answer of success. What has arrived of it is in the record.
pub(super) enum Sent {
    /// With its body, if it has one.
    Whole,
    /// With its body still to be read.
    Unread(Box<Response>),
}

/// Makes the attempts that policy and operation allow. There is no answer when the context has been told why.
pub(super) async fn execute(
    context: &Context,
    request: &mut Request,
    operation: &'static Operation,
) -> Option<Sent> {
    let (shared, policy) = (context.shared(), context.policy());
    shared.take_out_documented(request.url_mut());
    shared.habits.apply(request.url_mut(), operation);
    shared.purse.earn();
    let deadline = context.send_deadline(operation);
    let mut unanswered = false;
    let mut refused_token = None;
    let mut had_large_head = false;
    // Why the attempt before this one brought no answer.
    let mut before = None;
    // The clock is read again when time has passed only: some machines are slow to tell it.
    let mut now = Instant::now();
    for number in 1.. {
        let (mut turn, place) = match admit(context, request, operation, &mut now).await {
            Ok(admitted) => admitted,
            Err(failure) => {
                context.give_up(before.unwrap_or(failure), operation, unanswered);
                break;
            }
        };
        let left = context.left(now);
        // Nobody may repeat a call that is done once, so nothing is gained by giving up on it early.
        let mut limit = if operation.repeat == Repeat::Once { left } else { left.min(policy.attempt) };
        let span = tracing::debug_span!("attempt", number, status = Empty, outcome = Empty);
        let mut seen = Seen { had_large_head, ..Seen::default() };
        let mut token = None;
        let mut pending = None;
        let done = {
            let attempt = pin!(async {
                token = authorize(context, operation, refused_token, limit, &mut seen).await?;
                if token.is_some() {
                    now = Instant::now();
                    limit = limit.min(context.left(now));
                    context.in_time(operation, now)?;
                }
                turn.send();
                context.sending(number);
                pending = context.begin_change(request, operation);
                attempt(context, request, operation, token.as_ref(), (now, limit), deadline, &mut seen).await
            });
            attempt.instrument(span.clone()).await
        };
        drop(place);
        let status = seen.status;
        had_large_head = seen.had_large_head;
        if done.as_ref().err().is_some_and(|failure| may_be_at_work(failure, status)) {
            context.unanswered(operation);
        } else if let Some(pending) = pending {
            pending.answered(done.is_ok());
        }
        if let Some(status) = status {
            span.record("status", status.as_u16());
        }
        span.record(
            "outcome",
            done.as_ref().map_or_else(|failure| failure.outcome.as_str(), |()| "answered"),
        );

        let asked = done
            .as_ref()
            .err()
            .and_then(|failure| failure.wait.or_else(|| retry_after(&seen.headers, SystemTime::now())));
        let unread = seen.unread.take();
        context.note(number, seen);
        let Err(failure) = done else {
            return Some(unread.map_or(Sent::Whole, Sent::Unread));
        };
        unanswered |= failure.outcome == Outcome::Unknown;
        // Nothing came of what was refused, but "not so often" is to be heeded.
        let too_often = failure.outcome == Outcome::Throttled && status.is_some();
        turn.used = matches!(failure.outcome, Outcome::Unknown | Outcome::Decode) || too_often;
        drop(turn);

        if status == Some(StatusCode::UNAUTHORIZED) && token.is_some() && refused_token.is_none() {
            // Why the token was refused is nothing to tell the caller when there is no turn for the next.
            (refused_token, now, before) = (token.map(|token| token.number), Instant::now(), None);
            continue;
        }
        let pause = policy.pause_after(number, asked);
        let in_time = number < policy.attempts && pause < context.left(Instant::now());
        if failure.repeatable(operation) && in_time && shared.purse.spend() {
            tracing::debug!(?pause, "trying again");
            tokio::time::sleep(pause).await;
            (now, before) = (Instant::now(), Some(failure));
            continue;
        }
        context.give_up(failure, operation, unanswered);
        break;
    }
    None
}

/// Whether the server may be at work on a request still. It is not once it has answered for itself; a gateway answers for it.
fn may_be_at_work(failure: &Failure, status: Option<StatusCode>) -> bool {
    failure.outcome == Outcome::Unknown && status.is_none_or(|status| matches!(status.as_u16(), 502..=504))
}

/// Waits until a request may be sent: for a place among those under way, and for its turn.
async fn admit<'a>(
    context: &'a Context,
    request: &Request,
    operation: &Operation,
    now: &mut Instant,
) -> Result<(Turn<'a>, SemaphorePermit<'a>), Failure> {
    wait_for_older_changes(context, request, operation, now).await?;
    let path = request.url().path();
    let limits = &context.shared().limits;
    let places = limits.places(operation);
    loop {
        let mut place = match places.try_acquire() {
            Ok(place) => place,
            Err(_) => {
                tracing::debug!("waiting for a request to end");
                // In a box of its own: few calls have to wait.
                let waiting = timeout(context.patience(operation, *now).min(FAR), places.acquire());
                let place = Box::pin(waiting).await;
                *now = Instant::now();
                place.ok().and_then(Result::ok).ok_or_else(|| context.waited_for(Failure::no_place()))?
            }
        };
        let turn = limits
            .turn(operation, path, context.patience(operation, *now))
            .map_err(|too_early| context.waited_for(Failure::too_early(too_early)))?;
        if !turn.wait.is_zero() {
            // The place is of use to others meanwhile.
            drop(place);
            tracing::debug!(wait = ?turn.wait, "waiting for its turn");
            tokio::time::sleep(turn.wait).await;
            *now = Instant::now();
            // Without a place the turn passes: used later, it would be too close to the next.
            let Ok(free) = places.try_acquire() else { continue };
            place = free;
        }
        context.in_time(operation, *now)?;
        return Ok((turn, place));
    }
}

/// Waits until no older change of the same object, whose answer is missing, can undo this one any more.
async fn wait_for_older_changes(
    context: &Context,
    request: &Request,
    operation: &Operation,
    now: &mut Instant,
) -> Result<(), Failure> {
    if operation.repeat == Repeat::Read {
        return Ok(());
    }
    while let Some(wait) = context.shared().unanswered.wait(request) {
        if wait > context.patience(operation, *now) {
            return Err(Failure::older_change(wait));
        }
        tracing::debug!(?wait, "waiting for an unanswered change of the same object to settle");
        tokio::time::sleep(wait).await;
        *now = Instant::now();
    }
    Ok(())
}

/// The token that a request is sent with, if these credentials have one.
async fn authorize(
    context: &Context,
    operation: &Operation,
    refused: Option<u64>,
    limit: Duration,
    seen: &mut Seen,
) -> Result<Option<Token>, Failure> {
    let shared = context.shared();
    let Some(source) = shared.credentials.token_source().filter(|_| operation.authorized) else {
        return Ok(None);
    };
    // In a box of its own: most calls have no use for it.
    let token = Box::pin(source.token(&shared.http, &shared.base, refused, limit));
    token.await.map(Some).map_err(|no_token| {
        let NoToken { kind, reason, status, headers, body, wait, .. } = *no_token;
        (seen.status, seen.headers, seen.body) = (status, headers, body.into());
        let (outcome, permanent) = match kind {
            NoTokenKind::Refused => (Outcome::Rejected, false),
            NoTokenKind::Throttled => (Outcome::Throttled, false),
            NoTokenKind::Failed | NoTokenKind::OutOfTime => (Outcome::NotSent, false),
            NoTokenKind::Permanent => (Outcome::NotSent, true),
        };
        let reason = match kind {
            NoTokenKind::OutOfTime => context.out_of_time("no token came", limit),
            _ => reason,
        };
        Failure { wait, permanent, ..Failure::of(outcome, reason) }
    })
}
