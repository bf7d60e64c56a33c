//! Who may connect: the caller, as the superuser, known by the kernel. Everyone else needs a password.

use std::fs;
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

/// Writes both files of access rules into the cluster.
pub(crate) fn write_rules(cluster: &Path, caller: &str) -> Result<(), Error> {
    let ident = format!("# Written at each start.\ncaller \"{caller}\" {SUPERUSER}\n");
    for (name, text) in [("pg_hba.conf", HBA), ("pg_ident.conf", &ident)] {
        // The files exist, with the right owner: `initdb` made them.
        let path = cluster.join(name);
        fs::write(&path, text).map_err(Error::io("writing", &path))?;
    }
    Ok(())
}

/// URL of a database for libpq, tokio-postgres and sqlx alike: all three decode a folder in the host's place.
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
