//! Every variable that the program reads, in one table.

/// A variable of the environment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// Other names that platforms and tools give it; the first one that is set counts.
    pub(crate) aliases: &'static [&'static str],
    /// Whether its value is shown to nobody, and may come from the file that `<name>_FILE` names.
    pub(crate) is_secret: bool,
    /// What it is.
    pub(crate) about: &'static str,
}

/// A variable that is no secret.
const fn plain(name: &'static str, about: &'static str) -> Variable {
    Variable { name, aliases: &[], is_secret: false, about }
}

/// A variable that is one.
const fn secret(name: &'static str, about: &'static str) -> Variable {
    Variable { name, aliases: &[], is_secret: true, about }
}

/// How the names of our own variables begin: one that is not in the table is a mistake.
pub(crate) const PREFIX: &str = "TALLY_";

/// What is added to the name of a secret to name a file that holds it.
pub(crate) const FILE_SUFFIX: &str = "_FILE";

pub(crate) const DATABASE_URL: Variable = secret("DATABASE_URL", "the database");
pub(crate) const DATABASE_DIRECT_URL: Variable = Variable {
    aliases: &["DATABASE_URL_UNPOOLED", "DIRECT_URL"],
    ..secret("DATABASE_DIRECT_URL", "the database without a pooler in between")
};
pub(crate) const PORT: Variable = plain("PORT", "port of the public listener, as platforms set it");
pub(crate) const HOST: Variable = plain("HOST", "address of the public listener");
pub(crate) const LISTEN: Variable =
    plain("TALLY_LISTEN", "address and port of the public listener");
pub(crate) const ADMIN_LISTEN: Variable =
    plain("TALLY_ADMIN_LISTEN", "address and port of health and metrics");
pub(crate) const WEBHOOK_SECRET: Variable =
    secret("STRIPE_WEBHOOK_SECRET", "signing secrets of the webhook, comma separated");
pub(crate) const STRIPE_KEY: Variable =
    Variable { aliases: &["STRIPE_API_KEY"], ..secret("STRIPE_SECRET_KEY", "key of Stripe's API") };
pub(crate) const STRIPE_API_BASE: Variable =
    plain("STRIPE_API_BASE", "address of Stripe's API, where it is not Stripe's own");
pub(crate) const MODE: Variable =
    plain("TALLY_MODE", "live or test: the mode of the secrets and keys here");
pub(crate) const CONFIG: Variable =
    plain("TALLY_CONFIG", "a TOML file: tenants, endpoints, catalogue, directory");
pub(crate) const SIGNING_KEY: Variable =
    secret("TALLY_SIGNING_KEY", "keys of checkout references, comma separated: the first signs");
pub(crate) const CORS_ORIGINS: Variable =
    plain("TALLY_CORS_ORIGINS", "origins whose pages may read what users may, comma separated");
pub(crate) const RATE_LIMIT: Variable =
    plain("TALLY_RATE_LIMIT", "requests of a key per second and at once, such as 500:1000, or off");
pub(crate) const JWT_RATE_LIMIT: Variable =
    plain("TALLY_JWT_RATE_LIMIT", "requests of a user per second and at once, or off");
pub(crate) const JWT_ISSUER: Variable =
    plain("TALLY_JWT_ISSUER", "iss of the tokens that users come with");
pub(crate) const JWT_AUDIENCE: Variable = plain("TALLY_JWT_AUDIENCE", "aud of those tokens");
pub(crate) const JWT_ALGORITHMS: Variable =
    plain("TALLY_JWT_ALGORITHMS", "what those tokens may be signed by, comma separated");
pub(crate) const JWT_JWKS_URL: Variable =
    plain("TALLY_JWT_JWKS_URL", "where the issuer's public keys are read from");
/// No secret; but it is long, and better kept in a file.
pub(crate) const JWT_JWKS: Variable =
    secret("TALLY_JWT_JWKS", "the issuer's public keys themselves");
pub(crate) const JWT_SECRET: Variable =
    secret("TALLY_JWT_SECRET", "what the issuer shares with the app instead (HS256)");
pub(crate) const DATA_DIR: Variable =
    plain("TALLY_DATA_DIR", "folder of `up`: its Postgres, its dev.env");
pub(crate) const PG_BIN: Variable =
    plain("TALLY_PG_BIN", "folder of the programs of the private Postgres");
pub(crate) const RUST_LOG: Variable = plain("RUST_LOG", "what is logged");
pub(crate) const LOG_FORMAT: Variable = plain("LOG_FORMAT", "json or pretty");
pub(crate) const URL: Variable = plain("TALLY_URL", "where commands find the service");
pub(crate) const KEY_ADMIN: Variable = secret("TALLY_KEY_ADMIN", "API key of role admin");
pub(crate) const KEY_SUPPORT: Variable = secret("TALLY_KEY_SUPPORT", "API key of role support");
pub(crate) const KEY_APP: Variable = secret("TALLY_KEY_APP", "API key of role app");
pub(crate) const KEY_READ: Variable = secret("TALLY_KEY_READ", "API key of role read");

/// All of them, in the order in which they are shown.
pub(crate) const ALL: [&Variable; 31] = [
    &MODE,
    &CONFIG,
    &DATABASE_URL,
    &DATABASE_DIRECT_URL,
    &LISTEN,
    &HOST,
    &PORT,
    &ADMIN_LISTEN,
    &WEBHOOK_SECRET,
    &STRIPE_KEY,
    &STRIPE_API_BASE,
    &SIGNING_KEY,
    &JWT_ISSUER,
    &JWT_AUDIENCE,
    &JWT_ALGORITHMS,
    &JWT_JWKS_URL,
    &JWT_JWKS,
    &JWT_SECRET,
    &JWT_RATE_LIMIT,
    &CORS_ORIGINS,
    &RATE_LIMIT,
    &DATA_DIR,
    &PG_BIN,
    &RUST_LOG,
    &LOG_FORMAT,
    &URL,
    &KEY_ADMIN,
    &KEY_SUPPORT,
    &KEY_APP,
    &KEY_READ,
    &NO_COLOR,
];

pub(crate) const NO_COLOR: Variable = plain("NO_COLOR", "no colour, whatever its value");

impl Variable {
    /// Its name and its aliases, in the order in which they count.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Whether this name, or the same with `_FILE`, is one of its own.
    pub(crate) fn goes_by(&self, name: &str) -> bool {
        let file_of = name.strip_suffix(FILE_SUFFIX).filter(|_| self.is_secret);
        self.names().any(|own| own == name || Some(own) == file_of)
    }
}
