//! A desktop window: the only file that names `minifb`.
