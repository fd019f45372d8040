//! Covage: a draft is created, completed and submitted.

use std::time::{Duration, SystemTime};

use lastmile::covage::types::{
    EndCustomerContactUpdate, EndCustomerUpdate, EndCustomerUpdateType, OperatorInfoUpdate,
    OrderCreateRequestType, OrderUpdate,
};
use lastmile::covage::{Covage, Draft, NewOrder, OrderId, Submission};
use lastmile::{Error, Prepared};
use serde::{Deserialize, Serialize};

use super::super::outbox::{Stage, Step};
use super::super::site::{DEADLINE, SETTLE, Wanted};
use super::{Next, Service, come_back, placed};

/// How long a worker holds a draft exclusively.
const LEASE: Duration = Duration::from_secs(20);

/// A draft that is being completed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Completing {
    uuid: OrderId,
    /// The worker that completes it, if any.
    owner: Option<String>,
    /// Until when, in milliseconds since 1970.
    until: u64,
}

impl Completing {
    fn step(&self) -> Step {
        Step::new(Stage::Complete, serde_json::to_string(self).expect("JSON"))
    }
}

fn now() -> u64 {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    u64::try_from(time.as_millis()).expect("this century")
}

impl Service {
    pub(super) async fn order_fibre(&self, wanted: &Wanted, step: Option<&Step>) -> Next {
        let (key, covage) = (&wanted.key, self.covage.as_ref().expect("a campaign at Covage"));
        match step.map(|step| step.stage) {
            None | Some(Stage::Create) => {
                let request = || {
                    NewOrder::activate(&wanted.place, &wanted.item, OrderCreateRequestType::ActivateDefined)
                        .reference(key)
                };
                let next =
                    |draft: &Draft| Completing { uuid: draft.id().clone(), owner: None, until: 0 }.step();
                self.place(key, Stage::Create, step, request, covage, next).await
            }
            Some(Stage::Submit) => {
                let request =
                    || -> Submission { unreachable!("it is stored by whoever completed the draft") };
                self.place(key, Stage::Submit, step, request, covage, |_| placed()).await
            }
            _ => {
                let step = step.expect("it has a stage");
                self.take_and_complete(wanted, step, covage).await;
                Next::LookAgain
            }
        }
    }

    /// Claims a draft for this worker, and completes it. The previous holder has no request in flight any more.
    async fn take_and_complete(&self, wanted: &Wanted, step: &Step, covage: &Covage) {
        let completing: Completing = serde_json::from_str(&step.value).expect("what was stored is read");
        let settled = completing.until + u64::try_from(SETTLE.as_millis()).expect("it is short");
        if completing.owner.as_ref().is_some_and(|owner| *owner != self.owner) && now() < settled {
            tokio::time::sleep(Duration::from_millis(settled - now())).await;
            return;
        }
        // Before the draft is claimed, since thousands of orders may wait for a permit.
        let _permit = self.permits.acquire().await.expect("it is never closed");
        let until = now() + u64::try_from(LEASE.as_millis()).expect("it is short");
        let taken = Completing { owner: Some(self.owner.clone()), until, ..completing };
        if !self.outbox.replace(&wanted.key, Some(step), taken.step()) {
            return;
        }
        if let Some(submission) = self.complete(wanted, &taken, covage).await {
            let prepared = Prepared::new(submission).expect("it is ready");
            let next = Step::new(Stage::Submit, serde_json::to_string(&prepared).expect("JSON"));
            self.outbox.replace(&wanted.key, Some(&taken.step()), next);
        }
    }

    /// Completes a draft: with a wrong socket first, then with the right one. Returns `None` if the claim expires
    /// before that.
    async fn complete(&self, wanted: &Wanted, taken: &Completing, covage: &Covage) -> Option<Submission> {
        let uuid = &taken.uuid;
        for (attempt, socket) in [&wanted.wrong_socket, &wanted.socket].into_iter().enumerate() {
            let data = &order_data(&wanted.key, &self.site.contact, attempt);
            let otp = &socket.parse().expect("a socket of the sandbox's");
            self.again(wanted, taken, || async move {
                Draft::try_from(covage.order(uuid).await?)?.complete(covage, data).await
            })
            .await?;
            self.again(wanted, taken, || async move {
                Draft::try_from(covage.order(uuid).await?)?.set_otp(covage, otp).await.map(drop)
            })
            .await?;
        }
        self.again(wanted, taken, || async move {
            let draft = Draft::try_from(covage.order(uuid).await?)?;
            Ok(draft.submission()?)
        })
        .await
        .filter(|_| self.is_in_time(taken))
    }

    fn is_in_time(&self, taken: &Completing) -> bool {
        now() + u64::try_from(DEADLINE.as_millis()).expect("it is short") * 2 < taken.until
    }

    /// Repeats a step until it succeeds or its time is over.
    async fn again<T, Fut>(&self, wanted: &Wanted, taken: &Completing, step: impl Fn() -> Fut) -> Option<T>
    where
        Fut: Future<Output = Result<T, Error>>,
    {
        while self.is_in_time(taken) {
            match step().await {
                Ok(done) => return Some(done),
                Err(error) => come_back(&error).await,
            }
            if self.outbox.step(&wanted.key).as_ref() != Some(&taken.step()) {
                break;
            }
        }
        None
    }
}

/// Returns the values that complete a draft. The comment differs each time.
fn order_data(key: &str, contact: &str, attempt: usize) -> OrderUpdate {
    let text = |text: &str| Some(text.to_owned());
    OrderUpdate {
        comment: Some(format!("Ankeborg {attempt}")),
        end_customer: Some(EndCustomerUpdate {
            type_: Some(EndCustomerUpdateType::Unregistered),
            name: text("Ankeborg Epicerie"),
            contact: Some(EndCustomerContactUpdate {
                first_name: text("Kajsa"),
                last_name: text("Anka"),
                email: text("kajsa.anka@sp.example"),
                phone_number: text("0123456789"),
                ..Default::default()
            }),
            ..Default::default()
        }),
        operator_info: Some(OperatorInfoUpdate {
            order_ref: text(key),
            order_name: text("Ankeborg 1"),
            contact_uuid: text(contact),
        }),
        ..Default::default()
    }
}
