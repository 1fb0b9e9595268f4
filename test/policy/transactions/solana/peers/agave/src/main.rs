//! Reads messages with the types of Agave, one in hex on each line, and writes one line of JSON for each: what was read,
//! or why it is refused.

use {
    bincode::Options,
    solana_message::{SanitizedMessage, SanitizedVersionedMessage, SimpleAddressLoader, VersionedMessage, v0},
    std::{
        collections::HashSet,
        io::{self, BufRead, Write},
    },
};

fn main() {
    let mut output = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let bytes = unhex(line.expect("text").trim());
        let answer = read(&bytes).unwrap_or_else(|why| format!("{{\"refused\":{why:?}}}"));
        writeln!(output, "{answer}").expect("a reader");
    }
}

fn read(bytes: &[u8]) -> Result<String, String> {
    let message: VersionedMessage = bincode::options()
        .with_fixint_encoding()
        .reject_trailing_bytes()
        .deserialize(bytes)
        .map_err(|error| error.to_string())?;
    message.sanitize().map_err(|error| error.to_string())?;
    let version = match &message {
        VersionedMessage::Legacy(_) => "\"legacy\"",
        VersionedMessage::V0(_) => "0",
        VersionedMessage::V1(_) => "1",
    };
    let header = message.header();
    let keys: Vec<String> = message.static_account_keys().iter().map(|key| quoted(&key.to_bytes())).collect();
    let instructions: Vec<String> = message
        .instructions()
        .iter()
        .map(|it| format!("[{},{},{}]", it.program_id_index, quoted(&it.accounts), quoted(&it.data)))
        .collect();
    let tables: Vec<String> = message
        .address_table_lookups()
        .unwrap_or_default()
        .iter()
        .map(|it| {
            format!(
                "[{},{},{}]",
                quoted(&it.account_key.to_bytes()),
                quoted(&it.writable_indexes),
                quoted(&it.readonly_indexes)
            )
        })
        .collect();
    let lifetime = quoted(&message.recent_blockhash().to_bytes());
    let header = format!(
        "[{},{},{}]",
        header.num_required_signatures, header.num_readonly_signed_accounts, header.num_readonly_unsigned_accounts
    );
    let encoded = quoted(&bincode::serialize(&message).map_err(|error| error.to_string())?);
    let (duplicates, signatures) = load(message)?;
    Ok(format!(
        "{{\"version\":{version},\"header\":{header},\"keys\":[{}],\"lifetime\":{lifetime},\"instructions\":[{}],\
         \"tables\":[{}],\"encoded\":{encoded},\"duplicates\":{duplicates},\"signatures\":{signatures}}}",
        keys.join(","),
        instructions.join(","),
        tables.join(",")
    ))
}

/// Tells whether an account is there twice, and how many signatures the fee counts. Accounts of tables are made up.
fn load(message: VersionedMessage) -> Result<(bool, u64), String> {
    let count = |part: fn(&v0::MessageAddressTableLookup) -> usize| {
        message.address_table_lookups().unwrap_or_default().iter().map(part).sum::<usize>()
    };
    let made_up = |first: usize, length: usize| {
        (first..first + length)
            .map(|number| {
                let mut key = [0xa5_u8; 32];
                key[..8].copy_from_slice(&(number as u64).to_le_bytes());
                key.into()
            })
            .collect()
    };
    let (writable, readonly) = (count(|it| it.writable_indexes.len()), count(|it| it.readonly_indexes.len()));
    let loader = SimpleAddressLoader::Enabled(v0::LoadedAddresses {
        writable: made_up(0, writable),
        readonly: made_up(writable, readonly),
    });
    let sanitized = SanitizedVersionedMessage::try_new(message).map_err(|error| error.to_string())?;
    let loaded =
        SanitizedMessage::try_new(sanitized, loader, &HashSet::new()).map_err(|error| error.to_string())?;
    Ok((loaded.has_duplicates(), loaded.num_total_signatures()))
}

fn quoted(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex")).collect()
}
