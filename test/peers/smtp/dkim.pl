# Verifies the DKIM signature of a message by Mail::DKIM, which is not ours.
#   perl dkim.pl 'v=DKIM1; k=rsa; p=…' selector._domainkey.domain < message
# prints the result and its detail: "pass", "fail (body has been altered)".
use strict;
use warnings;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;

my ($record, $name) = @ARGV;

package Answer {
    sub type { 'TXT' }
    sub txtdata { my $text = $record; my @parts; push @parts, $1 while $text =~ /\G(.{1,255})/gs; return @parts }
}

no warnings 'redefine';
*Mail::DKIM::DNS::query_async = sub {
    my ($host, $type, %prms) = @_;
    my $said = $prms{Callbacks}{Success};
    return sub { $said->($host eq $name ? (bless {}, 'Answer') : ()) };
};

my $dkim = Mail::DKIM::Verifier->new;
while (my $line = <STDIN>) {
    $line =~ s/\r?\n$/\r\n/;
    $dkim->PRINT($line);
}
$dkim->CLOSE;
print $dkim->result, ' ', $dkim->result_detail, "\n";
