//! Release builds embed the built interface: they must see when it was built again.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let release = std::env::var_os("PROFILE").is_some_and(|profile| profile == "release");
    for folder in ["../../ui/desk/dist", "../../ui/widget/dist"] {
        if release && std::path::Path::new(folder).exists() {
            println!("cargo::rerun-if-changed={folder}");
        }
    }
}
