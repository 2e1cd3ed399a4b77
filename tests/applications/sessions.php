<?php
// A page with a session, as php-redis keeps it. Each request does what it is asked and tells what
// it sees as JSON; what PHP warns of goes in as well, for a visitor must not take it for success.
$warnings = [];
set_error_handler(function ($level, $text) use (&$warnings) {
    $warnings[] = $text;
    return true;
});

$server = new Redis();
$server->connect('127.0.0.1', (int) getenv('SERVER_PORT'));
if (isset($_GET['unlocked'])) {
    ini_set('redis.session.locking_enabled', '0');
}
$started = session_start(isset($_GET['read']) ? ['read_and_close' => true] : []);
$former = session_id();

switch ($_GET['do'] ?? 'visit') {
    case 'visit':
        $_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
        $_SESSION['cart'][] = ['name' => "tea \u{1F375}", 'price' => 1.5];
        break;
    case 'hold': // with the session locked, until somebody lets it go on
        $server->rPush('held', $former);
        $server->blPop('go on', 20);
        $_SESSION['visits'] = 100;
        break;
    case 'renew':
        session_regenerate_id(true);
        break;
    case 'leave':
        session_destroy();
        break;
}
$seen = [
    'started' => $started,
    'visits' => $_SESSION['visits'] ?? 0,
    'cart' => count($_SESSION['cart'] ?? []),
    'renewed' => session_id() !== $former,
];
if (session_status() === PHP_SESSION_ACTIVE) {
    try {
        $seen['written'] = session_write_close();
    } catch (RedisException $refusal) {
        $seen['refused'] = $refusal->getMessage();
    }
}
header('Content-Type: application/json');
echo json_encode($seen + ['warnings' => $warnings]);
