//! A secret is nowhere but in the one answer.

mod canaries;
mod keys;
mod people;
mod served;
