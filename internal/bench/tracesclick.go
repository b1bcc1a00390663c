package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tocsin/internal/traces"
	"tocsin/internal/traces/clickhouse"
	"tocsin/internal/traces/sample"
)

// clickMeasurements are those of the traces on a server of ClickHouse.
func clickMeasurements() []measurement {
	return []measurement{{"clickhouse", []string{
		"eps", "rss_mb", "server_rss_mb", "parsed_bytes", "raw_bytes",
		"clickhouse.q.patient_last100_ms", "clickhouse.q.person_hour_ms", "clickhouse.q.top10_ms", "clickhouse.q.distinct_patients_ms", "clickhouse.q.text_ms", "visible_s", "verify_mbps",
	}, (*bench).clickhouse}}
}

// RunClickHouse is Run for the traces on ClickHouse, which it starts: Debian's.
func RunClickHouse(ctx context.Context, o Options) ([]Result, error) {
	return measure(ctx, o, clickMeasurements())
}

// clickServer is a server of ClickHouse that the bench started.
type clickServer struct {
	*process
	address clickhouse.Address
}

const clickUser = "tocsin"

// startClick starts a server in a folder, and waits until it answers.
func (b *bench) startClick(ctx context.Context) (*clickServer, error) {
	dir := filepath.Join(b.folder, "clickhouse")
	var ports [2]string
	for i := range ports {
		at, err := freeAddress()
		if err != nil {
			return nil, err
		}
		if _, ports[i], err = net.SplitHostPort(at); err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
	}
	config := fmt.Sprintf(`<yandex><logger><level>error</level><log>%[1]s/log</log><errorlog>%[1]s/err</errorlog></logger>
<http_port>%[2]s</http_port><tcp_port>%[3]s</tcp_port><listen_host>127.0.0.1</listen_host><path>%[1]s/data/</path><tmp_path>%[1]s/tmp/</tmp_path>
<users_config>%[1]s/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>268435456</mark_cache_size><timezone>UTC</timezone></yandex>`, dir, ports[0], ports[1])
	users := `<yandex><profiles><default><max_memory_usage>4000000000</max_memory_usage></default></profiles><users><` + clickUser + `><password></password>
<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></` + clickUser + `></users><quotas><default></default></quotas></yandex>`
	err := os.MkdirAll(dir, 0o700)
	for name, text := range map[string]string{"config.xml": config, "users.xml": users} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	if err != nil {
		return nil, fmt.Errorf("settings of ClickHouse: %w", err)
	}
	s := &clickServer{address: clickhouse.Address{URL: "http://127.0.0.1:" + ports[0], User: clickUser, Database: "traces"}}
	if s.process, err = b.startProgram("clickhouse-server", "--config-file="+filepath.Join(dir, "config.xml")); err != nil {
		return nil, fmt.Errorf("start ClickHouse (Debian: clickhouse-server): %w", err)
	}
	if err := s.ready(ctx); err != nil {
		return nil, errors.Join(err, s.kill())
	}
	return s, nil
}

// ready waits until the server answers, and makes the database.
func (s *clickServer) ready(ctx context.Context) error {
	return s.until(ctx, "ClickHouse", 50*time.Millisecond, func() (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address.URL+"/?user="+clickUser, bytes.NewReader([]byte("CREATE DATABASE IF NOT EXISTS traces")))
		if err != nil {
			return false, fmt.Errorf("ask ClickHouse: %w", err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, nil //nolint:nilerr // it starts
		}
		return res.StatusCode == http.StatusOK, res.Body.Close()
	})
}

// clickhouse sends events as JSON until all are found by a question, asks the
// questions of the bars, then weighs the base and verifies its seal.
func (b *bench) clickhouse(ctx context.Context) (out []Result, err error) {
	server, err := b.startClick(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.kill()) }()
	p, err := b.openTraces(ctx, "clickhouse-house", traceRequest{House: "http://" + clickUser + ":@" + server.address.URL[len("http://"):] + "/traces"})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.leave(ctx)) }()
	n := b.Sizes.Traces
	began := time.Now()
	if err := p.post(ctx, p.Tokens["jsonl"], n); err != nil {
		return nil, err
	}
	b.note("clickhouse: %d events acknowledged in %.1f s", n, time.Since(began).Seconds())
	if err := p.found(ctx, "jsonl", n); err != nil {
		return nil, err
	}
	eps := float64(n) / time.Since(began).Seconds()
	memory, _ := p.memory()
	ofServer := peakMB(strconv.Itoa(server.cmd.Process.Pid))
	b.note("clickhouse: %.0f events/s until the last was found; %.0f MB at most, the server %.0f", eps, memory, ofServer)
	seen, err := b.visible(ctx, p)
	if err != nil {
		return nil, err
	}
	seen.ID = "clickhouse.visible_s"
	var asked answered
	if err := p.ask(ctx, traceOrder{Bars: true, Repeats: b.Sizes.Repeats}, &asked); err != nil {
		return nil, err
	}
	if err := p.stop(ctx); err != nil {
		return nil, err
	}
	held, err := b.heldClick(ctx, server.address, p)
	if err != nil {
		return nil, err
	}
	out = []Result{
		samples{eps}.result("clickhouse.eps", "events/s", samples{float64(n)}, "events sent"),
		samples{memory}.result("clickhouse.rss_mb", "MB", samples{ownPeakMB()}, "the client that sends, MB"),
		samples{ofServer}.result("clickhouse.server_rss_mb", "MB", samples{memory}, "the product, MB"),
		samples{held.ParsedBytes}.result("clickhouse.parsed_bytes", "bytes/event", samples{held.RowBytes}, "an original as it came, bytes"),
		samples{held.RawBytes}.result("clickhouse.raw_bytes", "bytes/event", samples{held.RowBytes}, "an original as it came, bytes"),
	}
	for _, r := range questionFigures(asked, held) {
		r.ID, r.ReferenceName = "clickhouse."+r.ID, "the engine alone, in the bench, p95, ms"
		out = append(out, r)
	}
	return append(out, seen, samples{held.VerifyMBps}.result("clickhouse.verify_mbps", "MB/s", samples{hashRate()}, "SHA-256 of the same bytes in memory, one core, MB/s")), nil
}

// heldClick weighs a base that nobody feeds, asks it the questions, and verifies
// its seal.
func (b *bench) heldClick(ctx context.Context, a clickhouse.Address, p *tracesHouse) (out answered, err error) {
	e := clickhouse.Consult(clickhouse.Options{Address: a, Log: slog.New(slog.DiscardHandler), Now: time.Now, Pause: func(ctx context.Context, d time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}})
	defer func() { err = errors.Join(err, e.Close()) }()
	if out.Times, err = b.clickTimes(ctx, e, p); err != nil {
		return out, err
	}
	if _, err := e.Blocks(ctx, p.Establishment, traces.BlockQuery{Close: true}); err != nil {
		return out, err
	}
	began := time.Now()
	files, err := e.Blocks(ctx, p.Establishment, traces.BlockQuery{Read: true})
	if err != nil {
		return out, err
	}
	spent, read, blocks := time.Since(began).Seconds(), int64(0), 0
	for _, f := range files {
		read += f.Bytes
		for _, block := range f.Blocks {
			if blocks++; !bytes.Equal(block.Read, block.Root) {
				return out, fmt.Errorf("block %d of %s is not as it was sealed", block.First, f.Name())
			}
		}
	}
	b.note("clickhouse: %d blocks, %.0f MB verified in %.1f s", blocks, float64(read)/1e6, spent)
	out.VerifyMBps = float64(read) / 1e6 / spent
	w, err := e.Weigh(ctx)
	if err != nil || w.Events == 0 {
		return out, errors.Join(err, errors.New("no event to weigh"))
	}
	out.ParsedBytes, out.RawBytes = float64(w.All-w.Raw)/float64(w.Events), float64(w.Raw)/float64(w.Events)
	out.RowBytes = rowBytes()
	return out, nil
}

func (b *bench) clickTimes(ctx context.Context, e *clickhouse.Engine, p *tracesHouse) (map[string][]float64, error) {
	from, to := traceStart().AddDate(0, 0, -1).UnixMicro(), traceStart().AddDate(0, 0, 31).UnixMicro()
	some, err := e.Ask(ctx, p.Establishment, traces.Question{From: from, To: to, Zone: "UTC", Limit: 1, Skip: 100, Where: []traces.Condition{{Field: traces.FieldPatient, Op: traces.NotEmpty}}})
	if err != nil || len(some.Events) == 0 {
		return nil, errors.Join(err, errors.New("no event to ask about"))
	}
	out := map[string][]float64{}
	for _, q := range sample.Questions(from, to, &some.Events[0].Event) {
		var times []time.Duration
		for range b.Sizes.Repeats {
			began := time.Now()
			if _, err := e.Ask(ctx, p.Establishment, q.Question); err != nil {
				return nil, fmt.Errorf("ask %s: %w", q.Name, err)
			}
			times = append(times, time.Since(began))
		}
		out[q.Name] = millis(times)
	}
	return out, nil
}
