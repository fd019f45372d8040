//! Notices when nobody reads the output any more.

/// Waits until the reader of standard output closes its end of the pipe, as `head` does. Waits forever if standard
/// output is no pipe.
#[cfg(unix)]
pub(super) async fn closed() {
    use rustix::event::{PollFd, PollFlags, poll};

    let (closed, is_closed) = tokio::sync::oneshot::channel::<()>();
    // A separate thread, which does not keep the program running.
    std::thread::spawn(move || {
        let output = std::io::stdout();
        // Without requested events, `poll` returns only on errors. A file never has one, so this then waits as long
        // as the program runs.
        let mut outputs = [PollFd::new(&output, PollFlags::empty())];
        while let Err(rustix::io::Errno::INTR) = poll(&mut outputs, None) {}
        let _ = closed.send(());
    });
    // Fails if the thread panics.
    if is_closed.await.is_err() {
        std::future::pending().await
    }
}

#[cfg(not(unix))]
pub(super) async fn closed() {
    std::future::pending().await
}
