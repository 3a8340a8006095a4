//! The signature under an exported review: Ed25519, so that whoever has the public key can check it without us.
//!
//! The key pair is derived from the key of the audit log, which lies sealed in the database: the same proof of origin,
//! and nothing more to keep, back up or rotate.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::platform::crypto::keyring::Purpose;
use crate::server::platform::crypto::master_key::unhex;

const LABEL: &str = "keywright-evidence-ed25519-v1";
pub const ALGORITHM: &str = "Ed25519";

fn key_pair(ctx: &Context) -> Result<Ed25519KeyPair, DomainError> {
    let seed = ctx.keyring.sign(Purpose::Audit, &[LABEL]);
    let seed = zeroize::Zeroizing::new(unhex(&seed.mac).ok_or(DomainError::Defect("no key to sign with"))?);
    Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| DomainError::Defect("no key pair from a seed"))
}

/// The public key in base64: 32 bytes, as auditors compare it.
pub fn public_key(ctx: &Context) -> Result<String, DomainError> {
    Ok(BASE64.encode(key_pair(ctx)?.public_key().as_ref()))
}

/// The bytes that are signed: JSON without white space, the names of every object in order.
fn signed_bytes(document: &Value) -> Vec<u8> {
    document.to_string().into_bytes()
}

/// A document with the signature under it.
pub fn sign(ctx: &Context, document: Value) -> Result<Value, DomainError> {
    let pair = key_pair(ctx)?;
    let signature = BASE64.encode(pair.sign(&signed_bytes(&document)).as_ref());
    Ok(json!({
        "document": document,
        "signature": {
            "algorithm": ALGORITHM,
            "publicKey": BASE64.encode(pair.public_key().as_ref()),
            "value": signature,
        },
    }))
}

/// What a check of a signed document found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The document is what was signed.
    pub intact: bool,
    /// It was signed by this installation.
    pub ours: bool,
    pub public_key: String,
}

/// Checks a signed document. `None` when it is none.
pub fn verify(ctx: &Context, text: &str) -> Result<Option<Verified>, DomainError> {
    let Ok(whole) = serde_json::from_str::<Value>(text) else {
        return Ok(None);
    };
    let (document, signature) = (&whole["document"], &whole["signature"]);
    let part = |name: &str| signature[name].as_str().and_then(|text| BASE64.decode(text).ok());
    let (Some(public), Some(value)) = (part("publicKey"), part("value")) else {
        return Ok(None);
    };
    if !document.is_object() || signature["algorithm"] != ALGORITHM {
        return Ok(None);
    }
    let intact = UnparsedPublicKey::new(&ED25519, &public)
        .verify(&signed_bytes(document), &value)
        .is_ok();
    let public_key = BASE64.encode(&public);
    Ok(Some(Verified {
        intact,
        ours: public_key == self::public_key(ctx)?,
        public_key,
    }))
}
