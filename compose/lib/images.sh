# shellcheck shell=bash
# The stack's images, made from Debian packages. Needs say.sh, packages.sh and a running engine.
#
# A folder here with a file `packages` is a recipe: mmdebstrap turns the packages into a root filesystem, its Dockerfile
# (FROM scratch, so no registry is asked) turns that into an image. An image carries the checksum of what it was made
# from; it is made again only when that changes.

SUITE=trixie
BASE_IMAGE=debian:$SUITE-slim
IMAGE_CACHE=/var/cache/ropewalk
MADE_FROM=org.ropewalk.made-from

debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

image_exists() { docker image inspect "$1" >/dev/null 2>&1; }

# image_made_from IMAGE: the checksum it was made from, empty for a foreign or missing image.
image_made_from() {
    docker image inspect -f "{{index .Config.Labels \"$MADE_FROM\"}}" "$1" 2>/dev/null || true
}

# checksum FILE_OR_FOLDER...: of names and contents together.
checksum() {
    find "$@" -type f -printf '%p\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16
}

# One "deb" line per archive this machine already uses, for the suite of the images; Debian's own when it uses none.
debian_sources() {
    # shellcheck disable=SC2016  # apt expands these
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
        awk -v suite="$SUITE" '
            $1 == "Debian" && !base[$2]++ { print "deb", $2, suite, "main"; print "deb", $2, suite "-updates", "main" }
            $1 == "Debian-Security" && !security[$2]++ { print "deb", $2, suite "-security", "main" }'
}

mmdebstrap_ensure() {
    ensure_command mmdebstrap mmdebstrap
    [ -s "$debian_keyring" ] || ensure_packages debian-archive-keyring
    # The names of the archives are known only from fetched lists.
    [ -n "$(debian_sources)" ] || update_package_lists
}

recipe_checksum() {
    if [ -x "$1/trim" ]; then (cd "$1" && checksum packages trim ../lib/slim); else (cd "$1" && checksum packages); fi
}

# rootfs RECIPE: prints the path of its root filesystem (a tar file), made when the cache has none.
rootfs() {
    local recipe=$1 name tar sum
    name=$(basename "$recipe")
    sum=$(recipe_checksum "$recipe")
    tar=$IMAGE_CACHE/$name-$sum.tar
    [ -s "$tar" ] || make_rootfs "$recipe" "$tar" >&2
    printf '%s\n' "$tar"
}

make_rootfs() {
    local recipe=$1 tar=$2 packages proxy sources options=()
    mmdebstrap_ensure
    mapfile -t sources < <(debian_sources)
    packages=$(sed '/^#/d' "$recipe/packages" | paste -sd ,)
    [ -z "$packages" ] || options+=(--include="$packages")
    proxy=$(apt-config shell proxy Acquire::http::Proxy | sed "s/^proxy='\(.*\)'$/\1/")
    [ -z "$proxy" ] || options+=(--aptopt="Acquire::http::Proxy \"$proxy\"")
    # Packages that are only unpacked (variant extract) never come to the customize hook.
    # shellcheck disable=SC2016  # the hook's own shell expands it
    if [ -x "$recipe/trim" ]; then
        options+=(--extract-hook="$recipe/trim \"\$1\"")
    else
        options+=(--customize-hook='rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/hostname" "$1/etc/resolv.conf"')
    fi
    mkdir -p "$IMAGE_CACHE"
    rm -f "$IMAGE_CACHE/$(basename "$recipe")"-*.tar
    say "Making the root filesystem of $(basename "$recipe") from Debian $SUITE packages"
    # No documents, no translations: in a container nobody reads them.
    TMPDIR=/var/tmp mmdebstrap --quiet --mode=root --format=tar --keyring="$debian_keyring" \
        --variant="$(sed -n 's/^#variant=//p' "$recipe/packages")" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' --aptopt='Acquire::Retries "3"' \
        "${options[@]}" \
        "$SUITE" "$tar.part" "${sources[@]}" ||
        die "mmdebstrap could not make the root filesystem of $(basename "$recipe")." \
            "Its packages come from the Debian archive that apt uses here; see that it offers '$SUITE':" \
            "${sources[@]}"
    mv "$tar.part" "$tar"
}

# build_image IMAGE RECIPE: the recipe's image; nothing when it is up to date.
build_image() {
    local from
    from=$(cd "$2" && checksum . ../lib/slim)
    [ "$(image_made_from "$1")" = "$from" ] || build_image_from "$from" "$1" "$2"
}

# build_image_from CHECKSUM IMAGE RECIPE [PROGRAM]: builds it; the Dockerfile finds the program as `ropewalk`.
build_image_from() {
    local from=$1 image=$2 recipe=$3 program=${4:-} tar context
    tar=$(rootfs "$recipe")
    context=$(mktemp -d /var/tmp/ropewalk-image.XXXXXX)
    cp -r "$recipe/." "$context"
    # In a clone that was made with a narrow umask only its owner may read the files.
    chmod -R u+rwX,go+rX "$context"
    [ -z "$program" ] || install -m 755 "$program" "$context/ropewalk"
    ln "$tar" "$context/rootfs.tar" 2>/dev/null || cp "$tar" "$context/rootfs.tar"
    say "Building the image $image"
    # A client without buildx warns about the classic builder on every build; its words matter only on failure.
    if ! docker build --quiet --tag "$image" ${from:+--label "$MADE_FROM=$from"} "$context" >"$context.said" 2>&1; then
        cat "$context.said" >&2
        rm -rf "$context" "$context.said"
        die "the image $image could not be built." "The engine's message stands above."
    fi
    rm -rf "$context" "$context.said"
    CHANGED=yes
}

# The base image that Dockerfiles name: what is there, else what a registry gives, else made here.
base_image_ensure() {
    image_exists "$BASE_IMAGE" && return
    say "Looking for $BASE_IMAGE in the registries this engine knows"
    timeout 60 docker pull --quiet "$BASE_IMAGE" >/dev/null 2>&1 && return
    detail "none has it"
    # Without a checksum: its labels would be inherited by every image made from it.
    build_image_from "" "$BASE_IMAGE" "$HERE/base"
}

step_image_ensure() { build_image ropewalk/step "$HERE/step"; }
registry_image_ensure() { build_image ropewalk/registry "$HERE/registry"; }

# image_publish IMAGE NAME: the registry has the image as NAME (repository:tag) afterwards.
image_publish() {
    local id
    id=$(docker image inspect -f '{{.Id}}' "$1")
    [ "$(registry_image_id "$2")" != "$id" ] || return 0
    say "Pushing $1 to $REGISTRY/$2"
    docker tag "$1" "$REGISTRY/$2"
    docker push --quiet "$REGISTRY/$2" >/dev/null ||
        die "$1 could not be pushed to the registry $REGISTRY." "See that 'curl http://$REGISTRY/v2/' answers {} and what the registry's log says."
    CHANGED=yes
}

# registry_image_id REPOSITORY:TAG: the id (configuration digest) the registry has under the name, empty for none.
registry_image_id() {
    curl -fsS -m 10 -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
        -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
        "http://$REGISTRY/v2/${1%:*}/manifests/${1##*:}" 2>/dev/null | jq -r '.config.digest // empty' || true
}
