#!/usr/bin/perl
# An SMSC made of the Perl module Net::SMPP, for one session at a time. The
# protocol is the module's; what is here answers as its own example does, and
# sends a receipt and a reply for each message.
#
# It prints {"smpp":port} once it listens, then one line of JSON per message
# taken and per acknowledgement received, and ends when its input closes.
use strict;
use warnings;
use IO::Select;
use Net::SMPP;

$| = 1;
$SIG{PIPE} = 'IGNORE';

my $listener = Net::SMPP->new_listen('127.0.0.1', port => 0, smpp_version => 0x34, timeout => undef)
    or die "cannot listen: $!";
printf "{\"smpp\":%d}\n", $listener->sockport;

my $id = 100;
my $session;
my $select = IO::Select->new($listener, \*STDIN);

while (1) {
    for my $ready ($select->can_read) {
        if ($ready == \*STDIN) {
            exit 0 unless sysread(STDIN, my $dropped, 1024);
        } elsif ($ready == $listener) {
            my $new = $listener->accept or next;
            if ($session) { $select->remove($session); close $session; }
            $session = $new;
            $select->add($session);
        } else {
            serve();
        }
    }
}

sub leave {
    $select->remove($session);
    close $session;
    undef $session;
}

sub serve {
    my $pdu = $session->read_pdu();
    return leave() unless $pdu;
    my ($cmd, $seq) = ($pdu->{cmd}, $pdu->{seq});
    if ($cmd == 0x09) {
        my $good = $pdu->{system_id} eq 'hopital' && $pdu->{password} eq 'secret';
        $session->bind_transceiver_resp(system_id => 'perl', seq => $seq, status => $good ? 0 : 0x0E);
    } elsif ($cmd == 0x04) {
        submit($pdu);
    } elsif ($cmd == 0x15) {
        $session->enquire_link_resp(seq => $seq);
    } elsif ($cmd == 0x06) {
        $session->unbind_resp(seq => $seq);
        leave();
    } elsif ($cmd == 0x80000005) {
        printf "{\"acknowledged\":%d,\"status\":%d}\n", $seq, $pdu->{status};
    }
}

sub submit {
    my ($pdu) = @_;
    $id++;
    printf "{\"to\":\"%s\",\"from\":\"%s\",\"text\":\"%s\",\"coding\":%d,\"validity\":\"%s\",\"registered\":%d,\"id\":\"%X\"}\n",
        $pdu->{destination_addr}, $pdu->{source_addr}, unpack('H*', $pdu->{short_message}),
        $pdu->{data_coding}, $pdu->{validity_period}, $pdu->{registered_delivery}, $id;
    # The receipt goes first: a real gateway may be as quick.
    $session->deliver_sm(source_addr => $pdu->{destination_addr}, destination_addr => $pdu->{source_addr},
        esm_class => 0x04, seq => $pdu->{seq}, async => 1,
        short_message => sprintf('id:%010d sub:001 dlvrd:001 submit date:2611220300 done date:2611220301 stat:DELIVRD err:000 Text:', $id));
    $session->submit_sm_resp(message_id => sprintf('%X', $id), seq => $pdu->{seq});
    $session->deliver_sm(source_addr => $pdu->{destination_addr}, destination_addr => $pdu->{source_addr},
        seq => $pdu->{seq} + 1000, async => 1, short_message => "OUI j'arrive");
}
