//! A mail server that takes everything and keeps it.

use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A mail server on a free port of the loopback interface; it ends with the test's runtime.
pub struct Mailbox {
    pub port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
}

/// A mail as it was handed over.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// The addresses of `RCPT TO`.
    pub to: Vec<String>,
    /// Headers and text, in the encoding that they came in.
    pub content: String,
}

impl Mailbox {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let mails = Arc::<Mutex<Vec<Mail>>>::default();
        let kept = Arc::clone(&mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, Arc::clone(&kept)));
            }
        });
        Self { port, mails }
    }

    /// Everything that arrived so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().expect("nobody panics while holding it").clone()
    }
}

/// One conversation, by RFC 5321, without extensions. It ends when the other side goes.
async fn talk(stream: TcpStream, kept: Arc<Mutex<Vec<Mail>>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut mail = Mail::default();
    let mut in_content = false;
    if write.write_all(b"220 mailbox.test\r\n").await.is_err() {
        return;
    }
    while let Ok(Some(line)) = lines.next_line().await {
        let reply = if in_content {
            if line != "." {
                mail.content.push_str(&line);
                mail.content.push('\n');
                continue;
            }
            in_content = false;
            kept.lock().expect("nobody panics while holding it").push(std::mem::take(&mut mail));
            "250 kept"
        } else if let Some(address) = line.strip_prefix("RCPT TO:") {
            mail.to.push(address.trim().trim_matches(['<', '>']).to_owned());
            "250 ok"
        } else if line == "DATA" {
            in_content = true;
            "354 go on"
        } else if line == "QUIT" {
            "221 bye"
        } else {
            "250 ok"
        };
        if write.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}
