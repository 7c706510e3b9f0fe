//! Free ports and plain HTTP on loopback, where everything in this crate listens.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Free addresses, chosen by the system and all different.
pub(crate) fn free_addresses<const COUNT: usize>() -> [SocketAddr; COUNT] {
    let listeners: [TcpListener; COUNT] = std::array::from_fn(|_| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port")
    });
    listeners.map(|listener| listener.local_addr().expect("a listener has an address"))
}

/// The body of a `200 OK` for this path, or the other response.
pub(crate) async fn http_get(address: SocketAddr, path: &str) -> Result<String, String> {
    let response = timeout(Duration::from_secs(5), exchange(address, path))
        .await
        .map_err(|_| format!("{address}{path}: no answer in 5 s"))?
        .map_err(|error| format!("{address}{path}: {error}"))?;
    let (head, body) = response
        .split_once("\r\n\r\n")
        .ok_or_else(|| format!("{address}{path}: no end of the header"))?;
    let status = head.lines().next().unwrap_or_default();
    if status.contains(" 200 ") {
        Ok(body.to_owned())
    } else {
        Err(format!("{address}{path}: {status}: {body}"))
    }
}

/// HTTP/1.0, so that the answer is neither chunked nor kept open.
async fn exchange(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await?;
    Ok(String::from_utf8_lossy(&response).into_owned())
}
