//! One program, so that the client is linked once.
#![recursion_limit = "512"]
// The classic pull consumer is; that is no reason for it not to work.
#![allow(deprecated)]

mod pull;
mod push;
mod restart;
mod send;
mod support;
