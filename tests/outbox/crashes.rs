//! Workers that crash or are stopped anywhere. The sandbox's orders tell what became of theirs, not the outbox.

use std::time::Duration;

use lastmile_outbox::probe::Point;
use lastmile_sandbox::Fault;
use lastmile_tests::outbox::{is_done, quick, until, until_done};
use lastmile_tests::paused::signal;
use tokio::task::JoinSet;

use crate::scene::Scene;
use crate::stores::stores;

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_boundary_neither_loses_nor_doubles_an_order() {
    let mut scenes = JoinSet::new();
    for point in Point::ALL {
        for store in stores().await {
            scenes.spawn(async move {
                let scene = Scene::new(store, 2).await;
                let crashed = scene.worker(&[&format!("{point:?}=abort")]).wait().await.unwrap();
                assert!(!crashed.success(), "it meets {point:?}");
                scene.finish().await;
                scene.assert_placed_once(&format!("{point:?}")).await;
            });
        }
    }
    while let Some(done) = scenes.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_after_the_supplier_has_the_order_loses_nothing() {
    for store in stores().await {
        let scene = Scene::new(store, 1).await;
        // The answer takes longer than the worker lives.
        scene.sandbox.onapi().fail_next("createOrder", Fault::Latency(Duration::from_secs(30)));
        let mut worker = scene.worker(&[]);
        until(|| async { scene.sandbox.onapi().took_effect("createOrder") > 0 }).await;
        worker.kill().await.unwrap();
        scene.finish().await;
        scene.assert_placed_once("killed").await;
        assert_eq!(scene.sandbox.onapi().count("createOrder"), 1, "{}", scene.store.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_again_and_again_lose_nothing() {
    const ORDERS: usize = 30;
    let mut scenes = JoinSet::new();
    for store in stores().await {
        scenes.spawn(async move {
            let scene = Scene::new(store, ORDERS).await;
            for kill in 1..=4 {
                let mut workers = [scene.worker(&[]), scene.worker(&[])];
                // Orders whose workers were killed three times are left to a person, so that there may be none to place.
                until(|| async {
                    let placed = scene.sandbox.onapi().took_effect("createOrder");
                    placed >= kill * 5 || is_done(&scene.store.outbox).await
                })
                .await;
                for worker in &mut workers {
                    worker.kill().await.unwrap();
                }
            }
            // What no one could finish because its worker was killed three times is tried again by a person.
            loop {
                scene.finish().await;
                let stuck = scene.store.outbox.needs_person().await.unwrap();
                if stuck.is_empty() {
                    break;
                }
                for order in stuck {
                    let by = lastmile_outbox::By("test");
                    let why = "the workers were killed";
                    // What was sent last may still be processed.
                    until(|| async {
                        match scene.store.outbox.declare_absent(order.key(), by, why).await {
                            Err(lastmile_outbox::Error::TooEarly(_)) => false,
                            result => {
                                result.unwrap();
                                true
                            }
                        }
                    })
                    .await;
                }
            }
            scene.assert_placed_once("killed").await;
        });
    }
    while let Some(done) = scenes.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_stopped_past_its_lease_sends_nothing_afterwards() {
    let mut scenes = JoinSet::new();
    for point in [Point::Claimed, Point::LookedUp, Point::BeforeMark, Point::Marked, Point::Answered] {
        for store in stores().await {
            scenes.spawn(async move {
                let (scene, mut stopped) =
                    Scene::with_stopped_worker(store, &format!("{point:?}=stop")).await;
                // Another worker takes the order over and brings it to its end, which takes longer than the lease, the deadline and
                // the settle time together.
                let outbox = lastmile_tests::outbox::open(&scene.store.address);
                let other = quick(outbox.worker()).serve(scene.network.clone()).start();
                until_done(&outbox).await;
                signal("-CONT", &stopped.id().unwrap().to_string()).await;
                assert!(stopped.wait().await.unwrap().success());
                other.drain(Duration::from_secs(5)).await;
                scene.assert_placed_once(&format!("{point:?}")).await;
                assert_eq!(scene.sandbox.onapi().count("createOrder"), 1, "{point:?}");
            });
        }
    }
    while let Some(done) = scenes.join_next().await {
        done.unwrap();
    }
}
