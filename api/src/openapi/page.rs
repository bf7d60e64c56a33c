//! The document as a page: it needs neither scripts nor anything from elsewhere.

use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The page, and what a browser may do with it.
pub(super) struct Page {
    pub(super) html: String,
    pub(super) policy: HeaderValue,
}

static PAGE: LazyLock<Page> = LazyLock::new(|| {
    let document = serde_json::from_str(super::openapi()).unwrap_or_default();
    Page { html: html(&document), policy: policy() }
});

/// How it looks. Colours are those of the reader's system.
const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9rem; }
pre { overflow-x: auto; border: 1px solid; padding: .5rem; }
summary { cursor: pointer; padding: .25rem 0; }
details > details, details > :not(summary) { margin-left: 1rem; }
table { border-collapse: collapse; }
td, th { border: 1px solid; padding: .25rem .5rem; text-align: left; vertical-align: top; }
";

/// The page of this program.
pub(super) fn page() -> &'static Page {
    &PAGE
}

/// Nothing may be loaded, run, framed or sent: only its own style counts, by its hash.
fn policy() -> HeaderValue {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

fn html(document: &Value) -> String {
    let info = &document["info"];
    let mut body = format!(
        "<h1>{} {}</h1>\n<p>{}</p>\n<p>For programs: <a href=\"/openapi.json\">/openapi.json</a></p>\n",
        text(&info["title"]),
        text(&info["version"]),
        text(&info["description"])
    );
    for tag in list(&document["tags"]) {
        let _ =
            write!(body, "<h2>{}</h2>\n<p>{}</p>\n", text(&tag["name"]), text(&tag["description"]));
        for (path, methods) in members(&document["paths"]) {
            let own = members(methods).filter(|(_, operation)| operation["tags"][0] == tag["name"]);
            own.for_each(|(method, operation)| {
                body.push_str(&section(document, (path, method), operation));
            });
        }
    }
    body.push_str("<h2>Objects</h2>\n");
    for (name, schema) in members(&document["components"]["schemas"]) {
        let _into_a_string = writeln!(
            body,
            "<details id=\"{0}\"><summary><code>{0}</code> {1}</summary>{2}</details>",
            escaped(name),
            text(&schema["description"]),
            pretty(schema)
        );
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{} API</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         </body>\n</html>\n",
        text(&info["title"])
    )
}

/// One operation.
fn section(document: &Value, (path, method): (&str, &str), operation: &Value) -> String {
    let mut rest = format!("<p>{}</p>\n", text(&operation["description"]));
    if let Some(role) = operation["x-least-role"].as_str() {
        let scope = text(&operation["security"][0]["key"][0]);
        let _into_a_string =
            write!(rest, "<p>Least role: {}. Scope: <code>{scope}</code>.", escaped(role));
        let for_users = list(&operation["security"]).any(|one| one.get("userToken").is_some());
        rest.push_str(if for_users { " Open to users with a token.</p>\n" } else { "</p>\n" });
    }
    let parameters: String = list(&operation["parameters"]).map(parameter).collect();
    if !parameters.is_empty() {
        let _into_a_string = write!(
            rest,
            "<table>\n<tr><th>Parameter</th><th>In</th><th></th><th>Shape</th></tr>\n{parameters}</table>\n"
        );
    }
    let body = &operation["requestBody"]["content"]["application/json"];
    if body.is_object() {
        let _into_a_string = writeln!(rest, "<p>Body: {}</p>", shape(&body["schema"]));
        if body.get("example").is_some() {
            rest.push_str(&pretty(&body["example"]));
        }
    }
    let answers: String = members(&operation["responses"])
        .map(|(status, to)| answer(status, resolved(document, to)))
        .collect();
    format!(
        "<details id=\"{}\"><summary><code>{} {}</code> {}</summary>\n{rest}<table>\n\
         <tr><th>Status</th><th></th><th>Shape</th></tr>\n{answers}</table>\n</details>\n",
        text(&operation["operationId"]),
        method.to_uppercase(),
        escaped(path),
        text(&operation["summary"])
    )
}

fn parameter(parameter: &Value) -> String {
    let required = if parameter["required"] == true { " (required)" } else { "" };
    format!(
        "<tr><td><code>{}</code>{required}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        text(&parameter["name"]),
        text(&parameter["in"]),
        text(&parameter["description"]),
        shape(&parameter["schema"])
    )
}

fn answer(status: &str, response: &Value) -> String {
    let shapes: Vec<_> = members(&response["content"])
        .map(|(media_type, content)| {
            format!("<code>{}</code> {}", escaped(media_type), shape(&content["schema"]))
        })
        .collect();
    let description = text(&response["description"]).replace('\n', "<br>");
    format!(
        "<tr><td>{}</td><td>{description}</td><td>{}</td></tr>\n",
        escaped(status),
        shapes.join("<br>")
    )
}

/// Follows a reference into the document.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

/// A schema in a few letters: the object that it refers to, or its type.
fn shape(schema: &Value) -> String {
    let first = schema.get("allOf").map_or(schema, |all| &all[0]);
    match first["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
        Some(name) => format!("<a href=\"#{0}\">{0}</a>", escaped(name)),
        None => text(&first["type"]),
    }
}

fn pretty(value: &Value) -> String {
    format!("<pre>{}</pre>", escaped(&format!("{value:#}")))
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}
