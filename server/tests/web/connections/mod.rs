//! Connections as people and programs meet them, against real receivers on this machine: who may use them, where their secrets go, and
//! that they are found nowhere else.

mod attacks;
mod canary;
mod echo;
mod files;
mod pages;
mod world;
