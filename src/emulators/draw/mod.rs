//! The sample pictures: flat, layered landscapes with people in front of them, and their portraits.
//!
//! Everything is drawn by this code, so that the demo needs no files and nobody's licence.

mod canvas;
mod colour;
mod portrait;
mod scenery;

pub(super) use self::{
    canvas::{Canvas, jpeg},
    portrait::{Look, Pose, draw_backdrop, draw_portrait},
    scenery::draw_scenery,
};
