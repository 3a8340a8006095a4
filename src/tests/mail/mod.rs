//! Mail, from the outbox to a real SMTP server.

mod outbox;
mod pages;
mod server;
