//! Whole configurations for proxies in front.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "help/proxies.html")]
pub struct Proxies {
    pub page: Page,
    pub nginx: &'static str,
    pub caddy: &'static str,
}

impl Proxies {
    pub fn new(page: Page) -> Self {
        Self {
            page,
            nginx: include_str!("../../../docs/proxies/nginx.conf"),
            caddy: include_str!("../../../docs/proxies/Caddyfile"),
        }
    }
}
