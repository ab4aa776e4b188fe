<?php
// A shop's PHP client, as small as they come: the curl extension and hash_hmac.
//
// Talks to ENDCAP_URL as ENDCAP_TRACKER with ENDCAP_KEY, says what it did, and stops with status 1 at the first answer
// that is not what the documentation promises.

declare(strict_types=1);
error_reporting(E_ALL);
set_error_handler(static function (int $level, string $message): bool {
    throw new ErrorException($message, 0, $level);
});

define('SERVER', getenv('ENDCAP_URL'));
define('TRACKER', getenv('ENDCAP_TRACKER'));
define('KEY', getenv('ENDCAP_KEY'));
define('BASE', '/v1/recommender/pin/' . TRACKER);
const JSON_TYPE = 'application/json; charset=utf-8';
const MODEL = 'compat-php';

function http_date(string $zone = 'GMT'): string
{
    return gmdate('D, d M Y H:i:s ') . $zone;
}

// The headers of a request. `type` null sends no Content-Type and signs the empty text in its place.
function signed(
    string $method,
    string $path,
    ?string $type = JSON_TYPE,
    ?string $date = null,
    string $word = 'guzzle',
    string $key = KEY,
): array {
    $date ??= http_date();
    $text = implode("\n", [$method, $type ?? '', $date, $path]);
    $signature = base64_encode(hash_hmac('sha256', $text, $key, true));
    return [
        'Date: ' . $date,
        'Authorization: ' . $word . ' ' . TRACKER . ':' . $signature,
        'Content-Type:' . ($type === null ? '' : " $type"), // with nothing behind it curl sends none, not even its own
    ];
}

function transmit(string $method, string $path, array $headers, ?string $body = null, string $query = ''): array
{
    $handle = curl_init(SERVER . $path . $query);
    curl_setopt_array($handle, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_CONNECTTIMEOUT => 4,
        CURLOPT_TIMEOUT => 10,
    ]);
    if ($body !== null) {
        curl_setopt($handle, CURLOPT_POSTFIELDS, $body);
    }
    $text = curl_exec($handle);
    if ($text === false) {
        stop("$method $path: " . curl_error($handle));
    }
    return [curl_getinfo($handle, CURLINFO_RESPONSE_CODE), $text];
}

function call(string $method, string $path, ?string $body = null, string $query = '', array $extra = [], mixed ...$how): array
{
    return transmit($method, $path, [...signed($method, $path, ...$how), ...$extra], $body, $query);
}

function stop(string $message): never
{
    fwrite(STDERR, "FAILED $message\n");
    exit(1);
}

function expect(string $what, array $answer, int $status): mixed
{
    [$code, $text] = $answer;
    if ($code !== $status) {
        stop("$what: expected $status, got $code: $text");
    }
    echo "ok $what: $code\n";
    return $text === '' ? null : json_decode($text, true, 512, JSON_THROW_ON_ERROR);
}

function check(string $what, mixed $wanted, mixed $got): void
{
    if ($wanted !== $got) {
        stop("$what: expected " . json_encode($wanted) . ', got ' . json_encode($got));
    }
}

function definition(int $position): array
{
    return [
        'model' => MODEL,
        'target_type' => 'item',
        'target_identity' => '/p/123',
        'tags' => ['php & co'],
        'pin_definitions' => [[
            'position' => $position,
            'pin_type' => 'item',
            'pin_identity' => '/p/555',
            'active_from' => '2025-02-01T00:00:00Z',
        ]],
    ];
}

// The life of a customization. PHP writes / as \/ in JSON.
$made = expect('create', call('POST', BASE . '/scope', json_encode(definition(1))), 201);
$one = BASE . '/scope/' . $made['id'];
$got = expect('get', call('GET', $one), 200);
check('created as answered', $made['id'], $got['id']);
check('target', '/p/123', $got['target_identity']);
check('pins as sent', definition(1)['pin_definitions'], $got['pin_definitions']);
check('update answers nothing', null, expect('update', call('PUT', $one, json_encode(definition(2))), 204));
check('updated', 2, expect('get again', call('GET', $one), 200)['pin_definitions'][0]['position']);

// Lists: with filters that are not signed, in both spellings of a repeated key, and without any body.
$query = '?model=' . MODEL . '&model=none&limit=10&offset=0&sort=created_at:desc';
$listed = expect('list', call('POST', BASE . '/scopes', '{}', $query), 200);
check('total', 1, $listed['pagination']['total']);
check('listed', $made['id'], $listed['results'][0]['id']);
$brackets = '?model%5B%5D=' . MODEL . '&tag[]=php+%26+co&tag[]=none';
$listed = expect('list with tag[]', call('POST', BASE . '/scopes', '{}', $brackets), 200);
check('total with tag[]', 1, $listed['pagination']['total']);
$numbered = '?' . http_build_query(['limit' => 10, 'model' => MODEL]);
expect('list with http_build_query', call('POST', BASE . '/scopes', '{}', $numbered), 200);
$listed = expect('list without a body', call('POST', BASE . '/scopes', '', $query, ['Content-Length: 0']), 200);
check('total without a body', 1, $listed['pagination']['total']);

// What clients are seen to do with the signed headers. The last date is a Unix timestamp in PHP's own format "T".
foreach (['guzzle', 'faraday', 'curl', 'Hello', 'ApiAuth'] as $word) {
    expect("first word $word", call('GET', $one, word: $word), 200);
}
foreach (['GMT', 'UTC', 'Z', '+0000', '+00:00', 'GMT+0000'] as $zone) {
    expect("date in $zone", call('GET', $one, date: http_date($zone)), 200);
}
$date = DateTime::createFromFormat('U', (string) time())->format('D, d M Y H:i:s T');
expect("date $date", call('GET', $one, date: $date), 200);
$plain = call('PUT', $one, json_encode(definition(3)), type: 'application/json');
expect('Content-Type without charset', $plain, 204);
expect('no Content-Type', call('GET', $one, type: null), 200);
expect('no Content-Type with a body', call('PUT', $one, json_encode(definition(3)), type: null), 204);
$headers = signed('PUT', $one);
for ($time = 1; $time <= 3; $time++) {
    expect("same signed request, time $time", transmit('PUT', $one, $headers, json_encode(definition(4))), 204);
}

// Compressed catalog uploads, with identities under the older name `url`.
$objects = array_map(
    static fn (int $n): array => ['url' => "/php/$n", 'type' => 'item', 'fields' => ['title' => "Žluťák $n"]],
    [1, 2],
);
$upload = json_encode(['objects' => $objects]);
foreach (['gzip' => gzencode($upload), 'deflate' => gzcompress($upload)] as $encoding => $body) {
    $stored = call('POST', '/v1/content', $body, extra: ["Content-Encoding: $encoding"]);
    check(
        'stored',
        ['ok_count' => 2, 'errors_count' => 0, 'errors' => []],
        expect("$encoding upload", $stored, 200),
    );
}
$names = array_map(static fn (array $each): array => ['url' => $each['url'], 'type' => 'item'], $objects);
$removed = call('DELETE', '/v1/content', json_encode(['objects' => $names]));
check('removed', 2, expect('remove objects', $removed, 200)['ok_count']);

// Refusals.
$refused = expect('wrong key', call('GET', $one, key: 'wrong'), 401);
ksort($refused);
check('a reason and details', ['exception_details', 'reason'], array_keys($refused));
expect('stale date', call('GET', $one, date: gmdate('D, d M Y H:i:s', time() - 3600) . ' GMT'), 401);
$faulty = ['model' => MODEL, 'target_type' => 'shelf', 'pin_definitions' => [['pin_type' => 'item', 'pin_identity' => '/p/5']]];
$faults = expect('faulty fields', call('PUT', $one, json_encode($faulty)), 422);
check('reason', 'Invalid pin definition provided', $faults['reason']);
check('target_type', ['Must be one of: item, criteria, all'], $faults['exception_details']['target_type']);
$pinFault = $faults['exception_details']['pin_definitions'][0];
check('pin', true, str_starts_with($pinFault, 'Missing required field: position'));
expect('not JSON', call('PUT', $one, '{'), 400);

// The end of a customization.
check('delete answers nothing', null, expect('delete', call('DELETE', $one), 204));
$gone = ['reason' => 'Customization not found', 'exception_details' => []];
check('gone', $gone, expect('get after delete', call('GET', $one), 404));
expect('delete again', call('DELETE', $one), 404);
echo "done\n";
