//! Who may connect: the caller, as the superuser, known by the kernel. Everyone else needs a
//! password.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::Error;

/// Name of the superuser.
pub(crate) const SUPERUSER: &str = "postgres";

/// `pg_hba.conf`. Peer authentication asks the kernel who is at the other end of the socket.
const HBA: &str = "\
# Written at each start.
local all postgres peer map=caller
local all all      scram-sha-256
";

/// Writes both files of access rules, and returns the settings that name them.
pub(crate) fn write_rules(base: &Path, caller: &str) -> Result<Vec<(String, String)>, Error> {
    let ident = format!("# Written at each start.\ncaller \"{caller}\" {SUPERUSER}\n");
    let files = [("hba_file", "pg_hba.conf", HBA), ("ident_file", "pg_ident.conf", &ident)];
    let write = |(setting, name, text): (&str, &str, &str)| {
        let path = base.join(name);
        fs::write(&path, text).map_err(Error::io("writing", &path))?;
        // The server's user reads them, whatever the caller's umask is.
        let readable = fs::Permissions::from_mode(0o644);
        fs::set_permissions(&path, readable).map_err(Error::io("opening", &path))?;
        Ok((setting.to_owned(), path.display().to_string()))
    };
    files.into_iter().map(write).collect()
}

/// URL of a database for libpq, tokio-postgres and sqlx alike: all three decode a folder in the
/// host's place.
pub(crate) fn url(socket_folder: &Path, database: &str) -> String {
    let host = percent_encode(socket_folder.as_os_str().as_encoded_bytes());
    format!("postgresql://{SUPERUSER}@{host}/{}", percent_encode(database.as_bytes()))
}

fn percent_encode(bytes: &[u8]) -> String {
    let encode = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(*byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    bytes.iter().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::url;

    #[test]
    fn url_has_the_folder_in_the_host() {
        assert_eq!(url(Path::new("/tmp/a b"), "x/y"), "postgresql://postgres@%2Ftmp%2Fa%20b/x%2Fy");
    }
}
