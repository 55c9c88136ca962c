# Shows the number that the api gives, on a page; 502 when the api gives none.
use strict;
use warnings;
use IO::Socket::INET;

my $api = $ENV{API_HOST} || 'api';

sub number {
    my $socket = IO::Socket::INET->new(PeerAddr => $api, PeerPort => 80, Timeout => 5) or return;
    print $socket "GET / HTTP/1.0\r\nHost: $api\r\n\r\n";
    my $answer = join '', <$socket>;
    return $answer =~ /"number": (\d+)/ ? $1 : undef;
}

$SIG{TERM} = sub { exit };
my $server = IO::Socket::INET->new(LocalPort => 80, Listen => 16, ReuseAddr => 1) or die "port 80: $!\n";
while (my $client = $server->accept) {
    while (defined(my $line = <$client>)) { last if $line =~ /^\r?$/ }
    my $number = number();
    my $status = defined $number ? '200 OK' : '502 Bad Gateway';
    my $text = defined $number ? "Your number is <strong>$number</strong>" : 'The api gave no number';
    my $body = "<!doctype html>\n<title>Numbers</title>\n<p>$text</p>\n";
    print $client "HTTP/1.0 $status\r\nContent-Type: text/html\r\nContent-Length: ", length $body, "\r\n\r\n", $body;
    close $client;
}
