# Answers every request with a random number from 1 to 100, as JSON. Perl, because every Debian image has it.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{TERM} = sub { exit };
my $server = IO::Socket::INET->new(LocalPort => 80, Listen => 16, ReuseAddr => 1) or die "port 80: $!\n";
while (my $client = $server->accept) {
    while (defined(my $line = <$client>)) { last if $line =~ /^\r?$/ }
    my $body = sprintf qq({"number": %d}\n), 1 + int rand 100;
    print $client "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: ", length $body, "\r\n\r\n", $body;
    close $client;
}
