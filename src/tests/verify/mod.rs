//! Verification from outside: every code, the contract's answers, and what must never happen.

mod codes;
mod leaks;
mod malformed;
mod memory;
mod self_revoke;
mod tokens;
