#!/usr/bin/env bash
# Put the executed notebooks of `make html` on a branch of their own: keep_executed.sh [remote] [branch]
set -euo pipefail
remote=${1:-origin} branch=${2:-executed}
folder=$(git rev-parse --show-toplevel)/runs/published
test -d "$folder" || { echo "there is no $folder: make html" >&2; exit 1; }

index=$(mktemp -u)  # the checkout and its own index stay as they are
trap 'rm -f "$index"' EXIT
in_folder() { GIT_INDEX_FILE=$index git --git-dir="$(git rev-parse --absolute-git-dir)" --work-tree="$folder" "$@"; }
in_folder add --force --all "$folder"
tree=$(in_folder write-tree)

parent=()
if git fetch --quiet --depth 1 "$remote" "refs/heads/$branch" 2>/dev/null; then parent=(-p FETCH_HEAD); fi
message="Executed notebooks of $(git rev-parse --short HEAD)"
who=(-c user.name="$(git log -1 --format=%an)" -c user.email="$(git log -1 --format=%ae)")
commit=$(git "${who[@]}" commit-tree "$tree" ${parent[@]+"${parent[@]}"} -m "$message")
git push --quiet "$remote" "$commit:refs/heads/$branch"
echo "$message are on the branch $branch"
