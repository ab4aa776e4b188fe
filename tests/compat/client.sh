#!/usr/bin/env bash
# A shop's shell script: curl, and the signature by printf, openssl and base64 as the documentation shows it.
#
# Talks to ENDCAP_URL as ENDCAP_TRACKER with ENDCAP_KEY, says what it did, and stops with status 1 at the first answer
# that is not what the documentation promises.
set -euo pipefail
export LC_ALL=C

: "${ENDCAP_URL:?}" "${ENDCAP_TRACKER:?}" "${ENDCAP_KEY:?}"
base="/v1/recommender/pin/${ENDCAP_TRACKER}"
json_type="application/json; charset=utf-8"
model="compat-curl"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

http_date() { date -u "+%a, %d %b %Y %H:%M:%S ${1:-GMT}"; }

signature() { # METHOD TYPE DATE PATH KEY
    local text
    text="$(printf '%s\n%s\n%s\n%s' "$1" "$2" "$3" "$4")"
    printf '%s' "$text" | openssl dgst -sha256 -hmac "$5" -binary | base64
}

# call METHOD PATH [CURL-OPTION...]: leaves $status and $answer. One call's oddities come from the environment:
# WORD, TYPE (empty: no Content-Type at all, signed as the empty text), DATE, KEY, QUERY.
call() {
    local method=$1 path=$2 type=${TYPE-$json_type} when=${DATE:-$(http_date)} signed
    shift 2
    signed=$(signature "$method" "$type" "$when" "$path" "${KEY:-$ENDCAP_KEY}")
    status=$(curl -sS -g -X "$method" "${ENDCAP_URL}${path}${QUERY:-}" \
        -H "Content-Type:${type:+ $type}" \
        -H "Date: ${when}" \
        -H "Authorization: ${WORD:-curl} ${ENDCAP_TRACKER}:${signed}" \
        -o "$folder/answer" -w '%{http_code}' "$@")
    answer=$(cat "$folder/answer")
    rm -f "$folder/answer"
}

stop() {
    echo "FAILED $1" >&2
    exit 1
}

expect() { # WHAT STATUS
    [ "$status" = "$2" ] || stop "$1: expected $2, got $status: $answer"
    echo "ok $1: $status"
}

has() { # WHAT TEXT: the answer has the text in it, spaces aside
    local squeezed=${answer//[[:space:]]/} wanted=${2//[[:space:]]/}
    [[ $squeezed == *"$wanted"* ]] || stop "$1: no $2 in $answer"
}

member() { # NAME: the first text under this name
    printf '%s' "$answer" | grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | sed 's/.*: *"//; s/"$//'
}

pins() { # POSITION
    printf '[{"position":%d,"pin_type":"item","pin_identity":"/p/555","active_from":"2025-02-01T00:00:00Z"}]' "$1"
}

definition() { # POSITION
    printf '{"model":"%s","target_type":"item","target_identity":"/p/123","tags":["curl & co"],"pin_definitions":%s}' \
        "$model" "$(pins "$1")"
}

# The life of a customization.
call POST "$base/scope" -d "$(definition 1)"
expect create 201
id=$(member id)
one="$base/scope/$id"
call GET "$one"
expect get 200
has "created as answered" "\"id\":\"$id\""
has target '"target_identity":"/p/123"'
has "pins as sent" "\"pin_definitions\":$(pins 1)"
call PUT "$one" -d "$(definition 2)"
expect update 204
[ -z "$answer" ] || stop "update answers nothing: $answer"
call GET "$one"
expect "get again" 200
has updated "\"pin_definitions\":$(pins 2)"

# Lists: with filters that are not signed, in both spellings of a repeated key, and without any body.
query="?model=$model&model=none&limit=10&offset=0&sort=created_at:desc"
QUERY=$query call POST "$base/scopes" -d '{}'
expect list 200
has total '"pagination":{"total":1}'
has listed "\"id\":\"$id\""
QUERY="?model[]=$model&tag[]=curl+%26+co&tag[]=none" call POST "$base/scopes" -d '{}'
expect "list with tag[]" 200
has "total with tag[]" '"pagination":{"total":1}'
QUERY=$query call POST "$base/scopes" -H 'Content-Length: 0'
expect "list without a body" 200
has "total without a body" '"pagination":{"total":1}'
TYPE='' QUERY=$query call POST "$base/scopes" -H 'Content-Length: 0'
expect "list without a body or a Content-Type" 200

# What clients are seen to do with the signed headers.
for word in guzzle faraday curl Hello ApiAuth; do
    WORD=$word call GET "$one"
    expect "first word $word" 200
done
for zone in GMT UTC Z +0000 +00:00 GMT+0000; do
    DATE=$(http_date "$zone") call GET "$one"
    expect "date in $zone" 200
done
TYPE=application/json call PUT "$one" -d "$(definition 3)"
expect "Content-Type without charset" 204
TYPE='' call GET "$one"
expect "no Content-Type" 200
TYPE='' call PUT "$one" -d "$(definition 3)"
expect "no Content-Type with a body" 204
when=$(http_date)
for time in 1 2 3; do
    DATE=$when call PUT "$one" -d "$(definition 4)"
    expect "same signed request, time $time" 204
done

# Compressed catalog uploads. `deflate` is the zlib format: two bytes, what gzip has within its own header and
# trailer, and the Adler-32 sum of the text.
deflated() { # FILE
    local a=1 b=0 byte
    for byte in $(od -An -v -tu1 "$1"); do
        a=$(((a + byte) % 65521)) b=$(((b + a) % 65521))
    done
    printf '\x78\x9c'
    gzip -nc "$1" | tail -c +11 | head -c -8
    # shellcheck disable=SC2059  # the format is made of escapes
    printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((b >> 8)) $((b & 255)) $((a >> 8)) $((a & 255)))"
}

title='"fields":{"title":"Žluťák"}'
printf '{"objects":[{"identity":"/curl/1","type":"item",%s},{"identity":"/curl/2","type":"item",%s}]}' \
    "$title" "$title" >"$folder/upload"
gzip -nc "$folder/upload" >"$folder/gzip"
deflated "$folder/upload" >"$folder/deflate"
for encoding in gzip deflate; do
    call POST /v1/content -H "Content-Encoding: $encoding" --data-binary "@$folder/$encoding"
    expect "$encoding upload" 200
    for part in '"ok_count":2' '"errors_count":0' '"errors":{}'; do has stored "$part"; done
done
call DELETE /v1/content -d '{"objects":[{"type":"item","identity":"/curl/1"},{"type":"item","identity":"/curl/2"}]}'
expect "remove objects" 200
has removed '"ok_count":2'

# Refusals.
KEY=wrong call GET "$one"
expect "wrong key" 401
has "a reason" '"reason":"'
has "details" '"exception_details":{'
DATE=$(date -u -d '1 hour ago' '+%a, %d %b %Y %H:%M:%S GMT') call GET "$one"
expect "stale date" 401
call PUT "$one" -d '{"model":"m","target_type":"shelf","pin_definitions":[{"pin_type":"item","pin_identity":"/p/5"}]}'
expect "faulty fields" 422
has reason '"reason":"Invalid pin definition provided"'
has target_type '"target_type":["Must be one of: item, criteria, all"]'
has pin '"Missing required field: position'
call PUT "$one" -d '{'
expect "not JSON" 400

# The end of a customization.
call DELETE "$one"
expect delete 204
[ -z "$answer" ] || stop "delete answers nothing: $answer"
call GET "$one"
expect "get after delete" 404
has gone '"reason":"Customization not found"'
call DELETE "$one"
expect "delete again" 404
echo "done"
