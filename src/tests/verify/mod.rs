//! Verification from outside: every code, the contract's answers, and what must never happen.

mod codes;
mod malformed;
mod memory;
mod self_revoke;
mod tokens;
