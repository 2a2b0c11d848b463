//! Ruby's own library.

use super::{Call, Code, Encoding, Piece, SECRET, SecretForm, joined};

pub fn write(call: &Call) -> String {
    let mut code = Code::default();
    for library in ["base64", "net/http", "openssl", "securerandom", "uri"] {
        code.line(format!("require \"{library}\""));
    }
    code.line("");
    if call.secret {
        code.line("# The trigger's secret; never write it into the program.").line(format!("secret = ENV.fetch(\"{SECRET}\")"));
    }
    if let Some(body) = call.body {
        code.line(format!("body = {}", single(body)));
    }
    code.line("# A new id for each event; the same one when you send it again.").line("id = SecureRandom.uuid");
    if call.time {
        code.line("time = Time.now.to_i.to_s");
    }
    if let Some(sign) = &call.sign {
        let key = match sign.key {
            SecretForm::Text => "secret",
            SecretForm::Standard => "Base64.decode64(secret.delete_prefix(\"whsec_\"))",
        };
        let message = joined(&sign.message, " + ", "''", |piece| write_piece(piece, call));
        let name = sign.algorithm.name();
        code.line(match sign.encoding {
            Encoding::Hex => format!("signature = OpenSSL::HMAC.hexdigest(\"{name}\", {key}, {message})"),
            Encoding::Base64 => {
                format!("signature = Base64.strict_encode64(OpenSSL::HMAC.digest(\"{name}\", {key}, {message}))")
            }
        });
    }
    let class = match call.method {
        "GET" => "Get",
        "PUT" => "Put",
        "PATCH" => "Patch",
        "DELETE" => "Delete",
        _ => "Post",
    };
    code.line("").line(format!("uri = URI({})", single(&call.url))).line(format!("request = Net::HTTP::{class}.new(uri)"));
    for (name, value) in &call.headers {
        let value = joined(value, " + ", "''", |piece| write_piece(piece, call));
        code.line(format!("request[{}] = {value}", single(name)));
    }
    if call.body.is_some() {
        code.line("request.body = body");
    }
    code.line("answer = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == \"https\") { |http| http.request(request) }");
    code.line("puts answer.code + \" \" + answer.body");
    code.0
}

fn write_piece(piece: &Piece, call: &Call) -> String {
    match piece {
        Piece::Text(text) => single(text),
        Piece::Body if call.body.is_none() => "''".into(),
        Piece::Body => "body".into(),
        Piece::Time => "time".into(),
        Piece::Id => "id".into(),
        Piece::Secret => "secret".into(),
        Piece::Signature => "signature".into(),
        Piece::Basic(user) => format!("Base64.strict_encode64({} + secret)", single(&format!("{user}:"))),
    }
}

/// In single quotes only the quote and the backslash have a meaning.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}
