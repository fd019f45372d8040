//! Sends one call: the attempts that its policy and operation allow.

mod acquire;
mod call;
mod record;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Request, Response, StatusCode};
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::attempt::{Attempt, AttemptResponse};
use crate::auth::{NoToken, Token, TokenServer};
use crate::classify::Failure;
use crate::client::Transport;
use crate::error::Outcome;
use crate::observe::{ANSWERED, AttemptReport, WaitReason, record_end};
use crate::operation::Repeat;
use crate::retry::retry_after;
use acquire::acquire;
pub use call::Call;
pub(crate) use record::{CallEnd, CallRecord};

/// Sends a request, and retries it if necessary. Returns the unread response if its body is read as a stream; otherwise, the
/// whole response is in `record`.
///
/// 1. Wait until the request may be sent ([`acquire`]).
/// 2. Obtain a token, if the credentials have one, and make one [`Attempt`].
/// 3. If the token was refused, continue with step 1 and a new token, once.
/// 4. If the failure may be retried, and attempts, deadline and retry budget allow it, wait and continue with step 1.
async fn send_repeatedly(
    transport: &Transport,
    request: &mut Request,
    record: &mut CallRecord,
    is_streamed: bool,
) -> Result<Option<Box<Response>>, Failure> {
    let (shared, policy, operation) = (&*transport.shared, &transport.policy, record.operation);
    shared.retry_tokens.deposit();
    let send_deadline = record.time.send_deadline(transport, operation);
    let mut refused_token = None;
    let mut had_large_head = false;
    // Boxed, as the pending change is: few calls have one, and each future would be larger.
    let mut previous_failure: Option<Box<Failure>> = None;
    // The clock is only read again when time has passed, since reading it is slow on some machines.
    let clock = &shared.clock;
    let mut now = clock.instant();
    let mut number = 0;
    loop {
        number += 1;
        let (mut reservation, permit) =
            match acquire(shared, &record.time, request, operation, &mut now).await {
                Ok(acquired) => acquired,
                Err(failure) => return Err(previous_failure.map_or(failure, |previous| *previous)),
            };
        let mut limit = record.time.of_attempt(operation, now);
        let span = tracing::debug_span!(
            "attempt",
            otel.status_code = Empty,
            http.request.resend_count = (number > 1).then(|| number - 1),
            http.response.status_code = Empty,
            outcome = Empty,
            error.type = Empty,
        );
        let mut response = AttemptResponse { had_large_head, ..AttemptResponse::default() };
        let (mut token, mut pending_change) = (None, None);
        let result = {
            let attempt = pin!(async {
                token = authorize(transport, record, refused_token, limit, &mut response).await?;
                if token.is_some() {
                    now = clock.instant();
                    limit = limit.min(record.time.left(now));
                    record.time.check(operation, now)?;
                }
                reservation.send();
                record.attempts = number;
                if operation.repeat != Repeat::Read {
                    pending_change = shared.unanswered.begin(request, policy.settle_time);
                }
                let (time, body_limit) = (&record.time, policy.body_limit);
                let attempt = Attempt { shared, operation, time, body_limit, is_streamed, send_deadline };
                attempt.run(request, token.as_deref(), (now, limit), &mut response).await
            });
            attempt.instrument(span.clone()).await
        };
        drop(permit);
        let status = response.status;
        had_large_head = response.had_large_head;
        let failure = result.as_ref().err();
        if failure.is_some_and(|failure| failure.may_be_in_progress(status)) {
            record.earlier_attempt_unanswered |= operation.repeat != Repeat::Read;
        } else if let Some(change) = pending_change {
            change.answered(result.is_ok());
        }
        let outcome = failure.map_or(ANSWERED, |failure| failure.outcome.as_str());
        record_end(&span, status, outcome, failure.is_some());
        if let Some(observer) = &shared.telemetry.observer {
            let (api, elapsed) = (shared.telemetry.api, clock.since(now));
            observer.on_attempt_end(&AttemptReport { api, operation, number, outcome, status, elapsed });
        }
        let asked =
            failure.and_then(|failure| failure.wait.or_else(|| retry_after(&response.headers, clock.now())));
        let unread = response.unread.take();
        record.attempted(number, response);
        let Err(failure) = result else { return Ok(unread) };

        record.is_indeterminate |= failure.outcome == Outcome::Indeterminate;
        // A rejected request does not start its operation's interval, unless the supplier reports too many requests.
        let too_often = failure.outcome == Outcome::Throttled && status.is_some();
        reservation.used = matches!(failure.outcome, Outcome::Indeterminate | Outcome::Decode) || too_often;
        drop(reservation);

        if status == Some(StatusCode::UNAUTHORIZED)
            && refused_token.is_none()
            && let Some(token) = token
        {
            // A caller whose next request is not sent in time need not learn why the token was refused.
            (refused_token, now, previous_failure) = (Some(token.obtained), clock.instant(), None);
            continue;
        }
        let backoff = policy.backoff_after(number, asked);
        let in_time = number < policy.max_attempts && backoff < record.time.left(clock.instant());
        if !(failure.is_repeatable(operation) && in_time && shared.retry_tokens.withdraw()) {
            return Err(failure);
        }
        tracing::debug!(?backoff, "sending the request again");
        clock.pause(backoff).await;
        shared.telemetry.report_wait(operation, WaitReason::Backoff, backoff);
        (now, previous_failure) = (clock.instant(), Some(Box::new(failure)));
    }
}

/// Returns the token that a request is sent with, if the credentials contain one.
async fn authorize(
    transport: &Transport,
    record: &CallRecord,
    refused: Option<Instant>,
    limit: Duration,
    response: &mut AttemptResponse,
) -> Result<Option<Arc<Token>>, Failure> {
    let shared = &transport.shared;
    let Some(source) = shared.credentials.token_source().filter(|_| record.operation.authorized) else {
        return Ok(None);
    };
    // Boxed, since most calls do not use it.
    let server = || TokenServer {
        http: shared.http.clone(),
        base: shared.base_url.clone(),
        telemetry: shared.telemetry.clone(),
        clock: shared.clock.clone(),
    };
    let token = Box::pin(source.token(server, &shared.clock, refused, limit));
    token.await.map(Some).map_err(|no_token| {
        let NoToken { outcome, permanent, reason, status, headers, body, wait, .. } = *no_token;
        (response.status, response.headers, response.body) = (status, headers, body.into());
        let reason = reason.unwrap_or_else(|| record.time.exceeded("no token came", limit));
        Failure { wait, permanent, ..Failure::of(outcome, reason) }
    })
}
