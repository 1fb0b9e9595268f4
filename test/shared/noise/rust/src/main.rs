//! The other side of a handshake, by snow: one command a line, one line in response, all bytes in hex.
use std::io::{self, BufRead, Write};

use snow::{Builder, HandshakeState, TransportState};

enum Side {
    None,
    Handshake(Box<HandshakeState>),
    Transport(Box<TransportState>),
}

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn act(side: &mut Side, words: &[&str]) -> Result<String, String> {
    let mut buffer = vec![0u8; 65535];
    let argument = if words[0] == "open" { Vec::new() } else { bytes(words.get(1).copied().unwrap_or("")) };
    match (words[0], side) {
        ("open", side) => {
            let prologue = bytes(words[2]);
            let key = bytes(words[3]);
            let builder = Builder::new("Noise_XX_25519_ChaChaPoly_SHA256".parse().expect("a name"))
                .local_private_key(&key)
                .map_err(|error| format!("{error:?}"))?
                .prologue(&prologue)
                .map_err(|error| format!("{error:?}"))?;
            let state = if words[1] == "initiator" { builder.build_initiator() } else { builder.build_responder() };
            *side = Side::Handshake(Box::new(state.map_err(|error| format!("{error:?}"))?));
            Ok("ok".into())
        }
        ("hash", Side::Handshake(state)) => Ok(hex(state.get_handshake_hash())),
        ("remote", Side::Handshake(state)) => Ok(hex(state.get_remote_static().unwrap_or(&[]))),
        ("write", Side::Handshake(state)) => {
            let length = state.write_message(&argument, &mut buffer).map_err(|error| format!("{error:?}"))?;
            Ok(hex(&buffer[..length]))
        }
        ("read", Side::Handshake(state)) => {
            let length = state.read_message(&argument, &mut buffer).map_err(|error| format!("{error:?}"))?;
            Ok(hex(&buffer[..length]))
        }
        ("transport", side) => match std::mem::replace(side, Side::None) {
            Side::Handshake(state) => {
                *side = Side::Transport(Box::new(state.into_transport_mode().map_err(|error| format!("{error:?}"))?));
                Ok("ok".into())
            }
            _ => Err("no handshake".into()),
        },
        ("write", Side::Transport(state)) => {
            let length = state.write_message(&argument, &mut buffer).map_err(|error| format!("{error:?}"))?;
            Ok(hex(&buffer[..length]))
        }
        ("read", Side::Transport(state)) => {
            let length = state.read_message(&argument, &mut buffer).map_err(|error| format!("{error:?}"))?;
            Ok(hex(&buffer[..length]))
        }
        ("rekey", Side::Transport(state)) => {
            state.rekey_outgoing();
            state.rekey_incoming();
            Ok("ok".into())
        }
        _ => Err("out of turn".into()),
    }
}

fn main() {
    let mut side = Side::None;
    for line in io::stdin().lock().lines() {
        let line = line.expect("a line");
        let words: Vec<&str> = line.split(' ').collect();
        match act(&mut side, &words) {
            Ok(response) => println!("{response}"),
            Err(reason) => println!("error {reason}"),
        }
        io::stdout().flush().expect("an open output");
    }
}
