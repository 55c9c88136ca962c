# shellcheck shell=bash
# The server's program: one static file. Needs say.sh, packages.sh and, without cargo, a running engine.
#
# ROPEWALK_BINARY names a ready one; else it is built with this machine's cargo, else in a rust:1 image.

BINARY_TARGET=$(uname -m)-unknown-linux-gnu
BINARY_FLAGS="-C target-feature=+crt-static"
# Packed relocations: a megabyte less to read at the start and to keep. The C library unpacks them, from 2.36 on.
PACKED_FLAGS="-C link-arg=-Wl,-z,pack-relative-relocs"
BINARY_BUILT=$TOP/target/$BINARY_TARGET/release/ropewalk

# cargo_find: true when cargo can be called; a login through sudo often lacks its folder in PATH.
cargo_find() {
    local folder
    command -v cargo >/dev/null && return
    for folder in "$HOME/.cargo/bin" /usr/local/cargo/bin ${SUDO_USER:+"$(getent passwd "$SUDO_USER" | cut -d: -f6)/.cargo/bin"}; do
        [ -x "$folder/cargo" ] || continue
        PATH=$folder:$PATH
        return
    done
    return 1
}

c_library_unpacks() {
    local version
    version=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d ' ' -f 2)
    [ "$(printf '%s\n' 2.36 "${version:-0}" | sort -V | head -n 1)" = 2.36 ]
}

# Everything the program is made from; build products and tests do not count.
source_checksum() {
    (cd "$TOP" && checksum .cargo Cargo.toml Cargo.lock server web-templates)
}

# binary_ensure: afterwards $BINARY is the path of a static server program.
binary_ensure() {
    if [ -n "${ROPEWALK_BINARY:-}" ]; then
        [ -x "$ROPEWALK_BINARY" ] || die "ROPEWALK_BINARY names $ROPEWALK_BINARY, which is not a program." "Unset it to have one built."
        BINARY=$(realpath "$ROPEWALK_BINARY")
    elif cargo_find; then
        binary_build_here
    else
        binary_build_in_image
    fi
}

binary_build_here() {
    ensure_command cc gcc libc6-dev
    say "Building the server with $(cargo --version) (the first time this takes some minutes)"
    ! c_library_unpacks || BINARY_FLAGS="$BINARY_FLAGS $PACKED_FLAGS"
    (cd "$TOP" && RUSTFLAGS=$BINARY_FLAGS cargo build --quiet --locked --release --bin ropewalk --target "$BINARY_TARGET" --target-dir "$TOP/target") ||
        die "the server could not be built." "The compiler's message stands above; 'rustup update' helps when it asks for a newer Rust."
    BINARY=$BINARY_BUILT
}

binary_build_in_image() {
    image_exists rust:1 || timeout 900 docker pull --quiet rust:1 >/dev/null 2>&1 ||
        die "there is neither cargo on this machine nor the image rust:1 to build the server in." \
            "Install Rust (https://rustup.rs), or make rust:1 available to the engine, or name a ready static program:" \
            "ROPEWALK_BINARY=/path/to/ropewalk compose/up"
    say "Building the server in a rust:1 container (the first time this takes some minutes)"
    mkdir -p "$TOP/target"
    docker run --rm --volume "$TOP:$TOP" --workdir "$TOP" --volume ropewalk-cargo:/usr/local/cargo/registry \
        --env RUSTFLAGS="$BINARY_FLAGS $PACKED_FLAGS" rust:1 \
        cargo build --quiet --locked --release --bin ropewalk --target "$BINARY_TARGET" --target-dir "$TOP/target" ||
        die "the server could not be built." "The compiler's message stands above."
    BINARY=$BINARY_BUILT
}

# What the image ropewalk/server is to be made from: a program that was named, else these sources.
server_image_wanted() {
    local program
    if [ -n "${ROPEWALK_BINARY:-}" ]; then program=$(sha256sum <"$BINARY" | cut -c 1-16); else program=$(source_checksum); fi
    printf '%s\n' "$program-$(cd "$HERE" && checksum server lib/slim)"
}

server_image_current() { [ "$(image_made_from ropewalk/server)" = "$(server_image_wanted)" ]; }

# server_program_ensure: the program is there, as far as the image needs one; before anything else takes minutes.
server_program_ensure() {
    [ -z "${ROPEWALK_BINARY:-}" ] || binary_ensure
    server_image_current || [ -n "${BINARY:-}" ] || binary_ensure
}

# server_image_ensure: the image ropewalk/server holds the program that these sources make.
server_image_ensure() {
    server_program_ensure
    ! server_image_current || return 0
    build_image_from "$(server_image_wanted)" ropewalk/server "$HERE/server" "$BINARY"
}
