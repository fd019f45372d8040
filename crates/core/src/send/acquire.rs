//! Waits before a request is sent: for older changes of the same object, a permit, and the rate limit.

use reqwest::Request;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout};

use crate::attempt::TimeLimits;
use crate::classify::Failure;
use crate::client::Shared;
use crate::observe::WaitReason;
use crate::operation::{Operation, Repeat};
use crate::retry::{FAR_FUTURE, Reservation};

/// Waits until a request may be sent. Updates `now` if time has passed.
pub(super) async fn acquire<'a>(
    shared: &'a Shared,
    time: &TimeLimits,
    request: &Request,
    operation: &'static Operation,
    now: &mut Instant,
) -> Result<(Reservation<'a>, SemaphorePermit<'a>), Failure> {
    wait_for_older_changes(shared, time, request, operation, now).await?;
    let permits = shared.limits.permits(operation);
    loop {
        let mut permit = match permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                tracing::debug!("waiting for a request to end");
                // Boxed, since few calls have to wait.
                let waiting =
                    timeout(time.before_sending(operation, *now).min(FAR_FUTURE), permits.acquire());
                let permit = Box::pin(waiting).await;
                let since = std::mem::replace(now, shared.clock.instant());
                shared.telemetry.report_wait(operation, WaitReason::Permit, *now - since);
                permit.ok().and_then(Result::ok).ok_or_else(|| time.in_failure(Failure::no_permit()))?
            }
        };
        let path = request.url().path();
        let reservation = shared
            .limits
            .reserve(operation, path, time.before_sending(operation, *now))
            .map_err(|too_early| time.in_failure(Failure::too_early(too_early)))?;
        if !reservation.wait.is_zero() {
            // Releases the permit for other requests meanwhile.
            drop(permit);
            tracing::debug!(wait = ?reservation.wait, "waiting for the rate limit");
            shared.clock.pause(reservation.wait).await;
            let since = std::mem::replace(now, shared.clock.instant());
            shared.telemetry.report_wait(operation, WaitReason::RateLimit, *now - since);
            // Without a permit the reservation is dropped: if it were used later, it would be too close to the next one.
            let Ok(free) = permits.try_acquire() else { continue };
            permit = free;
        }
        time.check(operation, *now)?;
        return Ok((reservation, permit));
    }
}

/// Waits until no older, unanswered change of the same object can undo this one.
async fn wait_for_older_changes(
    shared: &Shared,
    time: &TimeLimits,
    request: &Request,
    operation: &'static Operation,
    now: &mut Instant,
) -> Result<(), Failure> {
    if operation.repeat == Repeat::Read {
        return Ok(());
    }
    while let Some(wait) = shared.unanswered.wait(request) {
        if wait > time.before_sending(operation, *now) {
            return Err(Failure::older_change(wait));
        }
        tracing::debug!(?wait, "waiting for an unanswered change of the same object to settle");
        shared.clock.pause(wait).await;
        let since = std::mem::replace(now, shared.clock.instant());
        shared.telemetry.report_wait(operation, WaitReason::UnansweredChange, *now - since);
    }
    Ok(())
}
