# Asks the page beside it, which asks the api: succeeds when a number is shown, fails after ten seconds without one.
use strict;
use warnings;
use IO::Socket::INET;

my $answer = '';
for my $try (1 .. 10) {
    if (my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 80, Timeout => 5)) {
        print $socket "GET / HTTP/1.0\r\n\r\n";
        $answer = join '', <$socket>;
        if ($answer =~ m{<strong>(\d+)</strong>}) {
            print "the page shows the number $1\n";
            exit 0;
        }
    }
    sleep 1;
}
die "the page shows no number: $answer\n";
