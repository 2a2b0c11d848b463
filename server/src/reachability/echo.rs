//! `GET /.well-known/towpath/{nonce}`: proves that it was this instance that answered, and says how the request came in. Anybody may ask:
//! he learns how his own request looked from here.

use crate::{app::App, auth::visit::Visit, problem::Problem, store::instance};
use axum::{
    Extension, Json,
    extract::{ConnectInfo, Path, State},
    http::HeaderMap,
};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::net::{IpAddr, SocketAddr};
use subtle::ConstantTimeEq;

/// Headers by which proxies tell of themselves.
const TELLING: [&str; 5] = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via"];

/// How a request came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// Only this instance can work it out from the nonce.
    proof: String,
    /// The other end of the connection.
    pub peer: IpAddr,
    /// The caller, as far as proxies are believed.
    pub address: IpAddr,
    pub https: bool,
    pub authority: String,
    /// Which of the proxies' headers were there.
    pub headers: Vec<String>,
}

impl Echo {
    /// Was it the instance with this secret that answered?
    pub fn is_by(&self, secret: &[u8], nonce: &str) -> bool {
        self.proof.as_bytes().ct_eq(proof(secret, nonce).as_bytes()).into()
    }
}

/// `GET /.well-known/towpath/{nonce}`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Path(nonce): Path<String>,
) -> Result<Json<Echo>, Problem> {
    if nonce.len() != 32 || !nonce.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Problem::not_found());
    }
    Ok(Json(Echo {
        proof: proof(&instance::secret(&app.pool).await?, &nonce),
        peer: peer.map_or(visit.address, |Extension(ConnectInfo(peer))| peer.ip().to_canonical()),
        address: visit.address,
        https: visit.https,
        authority: visit.authority,
        headers: TELLING.iter().filter(|name| headers.contains_key(**name)).map(|name| (*name).to_owned()).collect(),
    }))
}

fn proof(secret: &[u8], nonce: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(b"towpath reachability ");
    mac.update(nonce.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_instance_itself_can_prove_it() {
        let echo = Echo {
            proof: proof(b"ours", "0a"),
            peer: IpAddr::from([127, 0, 0, 1]),
            address: IpAddr::from([127, 0, 0, 1]),
            https: false,
            authority: String::new(),
            headers: Vec::new(),
        };
        assert!(echo.is_by(b"ours", "0a") && !echo.is_by(b"ours", "0b") && !echo.is_by(b"theirs", "0a"));
    }
}
