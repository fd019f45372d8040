//! A server for measurements: it sends prepared responses, and uses as little CPU time as possible.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::str::FromStr;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The JSON of an access in a network's form, of about 400 bytes.
pub fn access(number: usize) -> String {
    let kinds = ["MDU_APARTMENT", "RESIDENTIAL_HOUSE", "COMMERCIAL"];
    let states = ["CONNECTED", "HOMESPASSED", "PLANNED"];
    format!(
        concat!(
            r#"{{"accessId":"a-{number:07}","legacyAccessId":"old-{number:07}","streetName":"Exempelgatan","#,
            r#""streetNumber":"{house}","streetLittera":"B","postalCode":"{postal:05}","city":"Ankeborg","#,
            r#""countryCode":"SE","premisesType":"{kind}","mduApartmentNumber":"1101","#,
            r#""mduDistinguisher":"Lilla huset","outlet":"A-01","population":"Ankeborg centrum","#,
            r#""priceGroup":{group},"accessState":"{state}","#,
            r#""nationalAddressUUID":"00000000-0000-4000-8000-{number:012}"}}"#
        ),
        number = number,
        house = number % 90 + 1,
        postal = 10_000 + number % 80_000,
        kind = kinds[number % kinds.len()],
        group = number % 7,
        state = states[number / 5 % states.len()],
    )
}

/// The JSON of an order in progress.
pub const ORDER: &str = r#"{"orderId":"1","accessId":"a-0000001","operation":"ACTIVATE","service":"BB-100-100","spReference":"SP-1","state":"IN_PROGRESS","message":"","createdDateTime":"2026-01-01T00:00:00Z"}"#;

/// The size of a row, in bytes, approximately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSize {
    /// 400 bytes: short strings.
    Short,
    /// 4 KiB: six of the strings are long.
    Long,
    /// 1.2 KiB: with the services of the access, as networks list them before ON-API 2.6.
    Services,
}

impl FromStr for RowSize {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "short" => Ok(Self::Short),
            "long" => Ok(Self::Long),
            "services" => Ok(Self::Services),
            _ => Err(format!("{name} is no size: say short, long or services")),
        }
    }
}

impl RowSize {
    /// Returns the JSON of an access of this size.
    pub fn access(self, number: usize) -> String {
        const LONG: [&str; 6] =
            ["Exempelgatan", "Ankeborg\"", "Lilla huset", "A-01", "Ankeborg centrum", "old-"];
        let access = access(number);
        match self {
            Self::Short => access,
            Self::Long => LONG.iter().fold(access, |access, text| {
                let longer = format!("{}{text}", "Norra ".repeat(103));
                access.replacen(text, &longer, 1)
            }),
            Self::Services => {
                let service = |number: usize| {
                    format!(
                        r#"{{"service":"BB-{number}00-{number}00","connection":"2019-02-0{number}","available":"YES","disconnection":""}}"#
                    )
                };
                let services: Vec<String> = (1..=9).map(service).collect();
                let access = access.trim_end_matches('}');
                format!(r#"{access},"services":[{}]}}"#, services.join(","))
            }
        }
    }
}

/// The number of different rows of a list that is longer. A server holds them once.
const DIFFERENT_ROWS: usize = 10_000;

/// The accesses of a whole country.
pub fn list(rows: usize, size: RowSize) -> String {
    let list = Prepared::new(rows, size);
    let mut json = String::with_capacity(list.len());
    list.pieces().for_each(|piece| json.push_str(piece));
    json
}

/// A list whose rows repeat.
struct Prepared {
    /// The rows, with commas between them.
    rows: String,
    /// How often they occur.
    times: usize,
}

impl Prepared {
    /// A list with more than [`DIFFERENT_ROWS`] rows has a multiple of that number.
    fn new(rows: usize, size: RowSize) -> Self {
        let different = rows.min(DIFFERENT_ROWS);
        let each: Vec<String> = (0..different).map(|number| size.access(number)).collect();
        Self { rows: each.join(","), times: rows.checked_div(different).unwrap_or(1) }
    }

    fn len(&self) -> usize {
        self.pieces().map(str::len).sum()
    }

    fn pieces(&self) -> impl Iterator<Item = &str> {
        let repeated = (0..self.times).flat_map(|time| [if time == 0 { "[" } else { "," }, &self.rows]);
        repeated.chain(["]"])
    }
}

struct Held {
    list: Prepared,
    gzipped: Vec<u8>,
    one: String,
}

/// Serves the list at `/accesses/`, and without gzip at `/plain/accesses/`; an access or an order at every other path.
///
/// # Panics
/// If there is no loopback interface.
pub fn serve(rows: usize, size: RowSize, announce: impl FnOnce(SocketAddr)) {
    let listener = StdListener::bind(("127.0.0.1", 0)).expect("a loopback port");
    let address = listener.local_addr().expect("it is bound");
    let list = Prepared::new(rows, size);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    list.pieces().for_each(|piece| encoder.write_all(piece.as_bytes()).expect("into memory"));
    let gzipped = encoder.finish().expect("into memory");
    let held = Arc::new(Held { list, gzipped, one: access(1) });
    listener.set_nonblocking(true).expect("a socket");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a runtime is there");
        announce(address);
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.set_nodelay(true);
            tokio::spawn(talk(socket, held.clone()));
        }
    });
}

/// Answers requests without a body, one after the other.
async fn talk(mut socket: TcpStream, held: Arc<Held>) {
    let mut request = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            let mut piece = [0; 4096];
            match socket.read(&mut piece).await {
                Ok(read) if read > 0 => request.extend_from_slice(&piece[..read]),
                _ => return,
            }
        };
        let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
        request.drain(..end);
        let wants_gzip = head.starts_with("get /accesses/ ") && head.contains("accept-encoding: gzip");
        if !wants_gzip && (head.starts_with("get /plain/accesses/ ") || head.starts_with("get /accesses/ ")) {
            if send_list(&mut socket, &held.list).await.is_err() {
                return;
            }
            continue;
        }
        let (encoding, body): (&str, &[u8]) = if wants_gzip {
            ("content-encoding: gzip\r\n", &held.gzipped)
        } else if head.starts_with("get /orders/") {
            ("", ORDER.as_bytes())
        } else {
            ("", held.one.as_bytes())
        };
        let mut answer = head_of(encoding, body.len()).into_bytes();
        if body.len() <= 4096 {
            answer.extend_from_slice(body);
            if socket.write_all(&answer).await.is_err() {
                return;
            }
        } else if socket.write_all(&answer).await.is_err() || socket.write_all(body).await.is_err() {
            return;
        }
    }
}

fn head_of(encoding: &str, length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{encoding}content-length: {length}\r\n\r\n")
}

async fn send_list(socket: &mut TcpStream, list: &Prepared) -> std::io::Result<()> {
    socket.write_all(head_of("", list.len()).as_bytes()).await?;
    for piece in list.pieces() {
        socket.write_all(piece.as_bytes()).await?;
    }
    Ok(())
}
