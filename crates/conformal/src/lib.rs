//! conformal
