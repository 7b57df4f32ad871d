//! A store that speaks the protocol of S3, in this process and on loopback alone.
//!
//! Requests must be signed and the signatures are checked, listings come in pages, large objects in
//! parts. Objects live in memory under one lock, so that a conditional put is atomic: of two writers
//! one wins. What clients of object stores do not use is answered with an error.

mod http;
mod objects;
mod operations;
mod signature;

use std::io::BufReader;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use self::http::{Request, Response};
use self::objects::Objects;

/// The one access key that the server knows.
pub const ACCESS_KEY_ID: &str = "AKIDOFTHETESTS";
/// Its secret.
pub const SECRET_ACCESS_KEY: &str = "a/secret+of=the/tests";

/// A running server; it stops when it is dropped.
///
/// # Example: what do a store's options say?
///
/// ```
/// use codeanatomy_testkit::s3::S3Server;
///
/// let server = S3Server::start(&["lake"]);
/// assert!(server.endpoint().starts_with("http://127.0.0.1:"));
/// server.put("lake", "a/b", b"content");
/// assert_eq!(server.keys("lake"), ["a/b"]);
/// ```
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    objects: Arc<Objects>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl S3Server {
    /// Starts a server with these buckets on a free port.
    ///
    /// # Panics
    ///
    /// When no port can be had.
    #[expect(
        clippy::expect_used,
        reason = "a fixture that cannot start fails its test"
    )]
    pub fn start(buckets: &[&str]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on loopback");
        let address = listener.local_addr().expect("the port's number");
        let objects = Arc::new(Objects::new(buckets));
        let stopped = Arc::new(AtomicBool::new(false));
        let (shared, stop) = (Arc::clone(&objects), Arc::clone(&stopped));
        let thread = std::thread::spawn(move || {
            for socket in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(socket) = socket else {
                    continue;
                };
                let objects = Arc::clone(&shared);
                // Ends when the client closes the connection.
                std::thread::spawn(move || serve(socket, &objects));
            }
        });
        Self {
            address,
            objects,
            stopped,
            thread: Some(thread),
        }
    }

    /// `http://127.0.0.1:PORT`
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts an object there, in place of any other.
    pub fn put(&self, bucket: &str, key: &str, content: &[u8]) {
        self.objects.set(bucket, key, content.to_vec());
    }

    /// The content of an object.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let object = self.objects.get(bucket, key)?;
        Some(object.content.as_ref().clone())
    }

    /// Removes an object.
    pub fn remove(&self, bucket: &str, key: &str) {
        self.objects.remove(bucket, key);
    }

    /// The keys of a bucket, sorted.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.objects.keys(bucket)
    }

    /// Uploads in parts that were begun and neither completed nor aborted.
    pub fn n_open_uploads(&self) -> usize {
        self.objects.n_uploads()
    }

    /// From here on the server ignores the conditions of writes, as some stores do.
    pub fn ignore_conditions(&self) {
        self.objects.ignore_conditions();
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers the requests of one connection, one after the other.
fn serve(socket: TcpStream, objects: &Objects) {
    // Answers are small, and whoever waits for one should not wait for more.
    let _ = socket.set_nodelay(true);
    let Ok(mut answers) = socket.try_clone() else {
        return;
    };
    let mut requests = BufReader::new(socket);
    while let Some(request) = Request::read(&mut requests) {
        let response = match signature::check(&request) {
            Ok(()) => operations::answer(&request, objects),
            Err(why) => Response::error(403, why, "the request is not signed as it must be"),
        };
        if response.write(&request, &mut answers).is_err() {
            return;
        }
    }
}
