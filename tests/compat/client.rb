# A shop's Ruby client, as small as they come: net/http and openssl.
#
# Talks to ENDCAP_URL as ENDCAP_TRACKER with ENDCAP_KEY, says what it did, and stops with status 1 at the first answer
# that is not what the documentation promises.

require 'base64'
require 'json'
require 'net/http'
require 'openssl'
require 'stringio'
require 'zlib'

SERVER = URI(ENV.fetch('ENDCAP_URL'))
TRACKER = ENV.fetch('ENDCAP_TRACKER')
KEY = ENV.fetch('ENDCAP_KEY')
BASE = "/v1/recommender/pin/#{TRACKER}"
JSON_TYPE = 'application/json; charset=utf-8'
MODEL = 'compat-ruby'

METHODS = {
  'GET' => Net::HTTP::Get, 'POST' => Net::HTTP::Post, 'PUT' => Net::HTTP::Put,
  'DELETE' => Net::HTTP::Delete
}.freeze

def http_date(zone = 'GMT')
  Time.now.utc.strftime("%a, %d %b %Y %H:%M:%S #{zone}")
end

# Builds a request and signs what it will really send: net/http gives a body a Content-Type of its own when it has
# none, so the header is read back from the request.
def build(method, path, body: nil, type: JSON_TYPE, query: '', date: http_date, word: 'faraday', key: KEY, extra: {})
  request = METHODS.fetch(method).new(path + query)
  request['Content-Type'] = type if type
  extra.each { |name, value| request[name] = value }
  request.body = body if body
  request['Date'] = date
  text = [method, request['Content-Type'].to_s, date, path].join("\n")
  signature = Base64.strict_encode64(OpenSSL::HMAC.digest('SHA256', key, text))
  request['Authorization'] = "#{word} #{TRACKER}:#{signature}"
  request
end

def send_to_server(request)
  Net::HTTP.start(SERVER.host, SERVER.port) { |http| http.request(request) }
end

def call(...)
  send_to_server(build(...))
end

def expect(what, answer, status)
  unless answer.code.to_i == status
    abort "FAILED #{what}: expected #{status}, got #{answer.code}: #{answer.body}"
  end
  puts "ok #{what}: #{answer.code}"
  answer.body.to_s.empty? ? nil : JSON.parse(answer.body)
end

def check(what, wanted, got)
  abort "FAILED #{what}: expected #{wanted.inspect}, got #{got.inspect}" unless wanted == got
end

def definition(position)
  {
    model: MODEL, target_type: 'item', target_identity: '/p/123', tags: ['ruby & co'],
    pin_definitions: [
      { position: position, pin_type: 'item', pin_identity: '/p/555', active_from: '2025-02-01T00:00:00Z' }
    ]
  }
end

# The life of a customization.
made = expect('create', call('POST', "#{BASE}/scope", body: definition(1).to_json), 201)
one = "#{BASE}/scope/#{made.fetch('id')}"
got = expect('get', call('GET', one), 200)
check('created as answered', made['id'], got['id'])
check('target', '/p/123', got['target_identity'])
check('pins as sent', JSON.parse(definition(1)[:pin_definitions].to_json), got['pin_definitions'])
check('update answers nothing', nil, expect('update', call('PUT', one, body: definition(2).to_json), 204))
check('updated', 2, expect('get again', call('GET', one), 200)['pin_definitions'][0]['position'])

# Lists: with filters that are not signed, in both spellings of a repeated key, and without any body.
query = "?model=#{MODEL}&model=none&limit=10&offset=0&sort=created_at:desc"
listed = expect('list', call('POST', "#{BASE}/scopes", body: '{}', query: query), 200)
check('total', 1, listed['pagination']['total'])
check('listed', made['id'], listed['results'][0]['id'])
brackets = "?model[]=#{MODEL}&tag[]=ruby+%26+co&tag[]=none"
listed = expect('list with tag[]', call('POST', "#{BASE}/scopes", body: '{}', query: brackets), 200)
check('total with tag[]', 1, listed['pagination']['total'])
empty = { 'Content-Length' => '0' }
listed = expect('list without a body', call('POST', "#{BASE}/scopes", extra: empty, query: query), 200)
check('total without a body', 1, listed['pagination']['total'])

# What clients are seen to do with the signed headers.
%w[guzzle faraday curl Hello ApiAuth].each do |word|
  expect("first word #{word}", call('GET', one, word: word), 200)
end
%w[GMT UTC Z +0000 +00:00 GMT+0000].each do |zone|
  expect("date in #{zone}", call('GET', one, date: http_date(zone)), 200)
end
expect('Content-Type without charset', call('PUT', one, type: 'application/json', body: definition(3).to_json), 204)
expect('no Content-Type', call('GET', one, type: nil), 200)
expect('no Content-Type on DELETE', call('DELETE', "#{BASE}/scope/none", type: nil), 404)
again = build('PUT', one, body: definition(4).to_json)
3.times { |time| expect("same signed request, time #{time + 1}", send_to_server(again), 204) }

# Compressed catalog uploads.
def gzipped(text)
  io = StringIO.new(''.b)
  writer = Zlib::GzipWriter.new(io)
  writer.write(text)
  writer.close
  io.string
end

objects = [1, 2].map { |n| { identity: "/ruby/#{n}", type: 'item', fields: { title: "Žluťák #{n}" } } }
upload = { objects: objects }.to_json
{ 'gzip' => gzipped(upload), 'deflate' => Zlib::Deflate.deflate(upload) }.each do |encoding, body|
  stored = call('POST', '/v1/content', body: body, extra: { 'Content-Encoding' => encoding })
  check('stored', { 'ok_count' => 2, 'errors_count' => 0, 'errors' => {} },
        expect("#{encoding} upload", stored, 200))
end
names = { objects: objects.map { |each| each.slice(:identity, :type) } }.to_json
check('removed', 2, expect('remove objects', call('DELETE', '/v1/content', body: names), 200)['ok_count'])

# Refusals.
refused = expect('wrong key', call('GET', one, key: 'wrong'), 401)
check('a reason and details', %w[exception_details reason], refused.keys.sort)
stale = (Time.now.utc - 3600).strftime('%a, %d %b %Y %H:%M:%S GMT')
expect('stale date', call('GET', one, date: stale), 401)
faulty = { model: MODEL, target_type: 'shelf', pin_definitions: [{ pin_type: 'item', pin_identity: '/p/5' }] }
faults = expect('faulty fields', call('PUT', one, body: faulty.to_json), 422)
check('reason', 'Invalid pin definition provided', faults['reason'])
check('target_type', ['Must be one of: item, criteria, all'], faults['exception_details']['target_type'])
pin_fault = faults['exception_details']['pin_definitions'][0]
check('pin', true, pin_fault.start_with?('Missing required field: position'))
expect('not JSON', call('PUT', one, body: '{'), 400)

# The end of a customization.
check('delete answers nothing', nil, expect('delete', call('DELETE', one), 204))
gone = { 'reason' => 'Customization not found', 'exception_details' => {} }
check('gone', gone, expect('get after delete', call('GET', one), 404))
expect('delete again', call('DELETE', one), 404)
puts 'done'
