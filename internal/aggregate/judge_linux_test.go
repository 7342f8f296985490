package aggregate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The judge is AWS's own module for Lambda: what it reads is what counts.
const judgePackage = "aws-kinesis-agg@4.2.8"

// installJudge gets the module; the registry may need a second try.
func installJudge(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		_, err := exec.LookPath(program)
		require.NoError(t, err, "this test runs %s, which needs node and npm (Debian: apt-get install nodejs npm)", judgePackage)
	}
	dir := t.TempDir()
	var err error
	for try := range 4 {
		if try > 0 {
			time.Sleep(time.Duration(try) * 3 * time.Second)
		}
		c := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix", dir, judgePackage)
		c.Dir = dir
		var out []byte
		if out, err = c.CombinedOutput(); err == nil {
			return filepath.Join(dir, "node_modules", "aws-kinesis-agg")
		}
		err = fmt.Errorf("installing %s by npm: %w\n%s", judgePackage, err, out)
	}
	require.NoError(t, err)
	return ""
}

// judged is a user record, in the judge's words.
type judged struct {
	Key   string `json:"key"`
	Hash  string `json:"hash,omitempty"`
	Data  []byte `json:"data"`
	Index int    `json:"index"`
}

type job struct {
	Op      string   `json:"op"`
	Data    []byte   `json:"data,omitempty"`
	Records []judged `json:"records,omitempty"`
}

type verdict struct {
	Records []judged `json:"records"`
	Error   string   `json:"error"`
	Data    []byte   `json:"data"`
	Key     string   `json:"key"`
}

func judge(t *testing.T, module string, jobs []job) []verdict {
	t.Helper()
	var in, errs bytes.Buffer
	for _, j := range jobs {
		require.NoError(t, json.NewEncoder(&in).Encode(j))
	}
	c := exec.Command("node", filepath.Join("testdata", "judge.js"), module)
	c.Stdin, c.Stderr = &in, &errs
	out, err := c.Output()
	require.NoError(t, err, errs.String())
	var verdicts []verdict
	for _, line := range bytes.Split(bytes.TrimSpace(out), []byte("\n")) {
		var v verdict
		require.NoError(t, json.Unmarshal(line, &v))
		verdicts = append(verdicts, v)
	}
	require.Len(t, verdicts, len(jobs))
	return verdicts
}

// judgedUsers are aggregates that the judge can be asked about. It sorts keys that
// look like array indices before all others, and so gives them to the wrong
// records: no key here looks like one, nor do the explicit hash keys.
func judgedUsers() [][]user {
	var list [][]user
	for _, users := range someUsers() {
		list = append(list, users)
	}
	for seed := range uint64(60) {
		list = append(list, randomUsers(rand.New(rand.NewPCG(seed, 8))))
	}
	for _, users := range list {
		for i := range users {
			users[i].key = "k" + users[i].key
			if users[i].hash != "" {
				users[i].hash = "17014118346046923173168730371588410572" + users[i].hash
			}
		}
	}
	return list
}

func TestAWSModule(t *testing.T) {
	t.Parallel()
	module := installJudge(t)
	all := judgedUsers()
	t.Run("opens ours", func(t *testing.T) {
		t.Parallel()
		opensOurs(t, module, all)
	})
	t.Run("we open its", func(t *testing.T) {
		t.Parallel()
		weOpenIts(t, module, all)
	})
	t.Run("takes a broken one for none", func(t *testing.T) {
		t.Parallel()
		broken := build(new(Writer), all[0])
		broken[len(broken)-1] ^= 1
		require.Contains(t, judge(t, module, []job{{Op: "open", Data: broken}})[0].Error, "checksum")
		require.False(t, Is(broken))
	})
}

func opensOurs(t *testing.T, module string, all [][]user) {
	var w Writer
	var jobs []job
	for _, users := range all {
		jobs = append(jobs, job{Op: "open", Data: build(&w, users)})
	}
	for i, v := range judge(t, module, jobs) {
		require.Empty(t, v.Error)
		require.Len(t, v.Records, len(all[i]))
		hashed := false
		for _, u := range all[i] {
			hashed = hashed || u.hash != ""
		}
		for j, got := range v.Records {
			want := all[i][j]
			require.Equal(t, j, got.Index)
			require.Equal(t, want.key, got.Key)
			require.True(t, bytes.Equal(want.data, got.Data))
			// To a record without an explicit hash key the judge gives the first of the table: its protobuf reads the missing index as 0.
			if want.hash != "" || !hashed {
				require.Equal(t, want.hash, got.Hash)
			}
		}
	}
}

func weOpenIts(t *testing.T, module string, all [][]user) {
	var w Writer
	var r Reader
	var jobs []job
	for _, users := range all {
		j := job{Op: "make"}
		for _, u := range users {
			j.Records = append(j.Records, judged{Key: u.key, Hash: u.hash, Data: u.data})
		}
		jobs = append(jobs, j)
	}
	for i, v := range judge(t, module, jobs) {
		require.True(t, r.Open(v.Data))
		requireUsers(t, all[i], &r, "")
		require.True(t, bytes.Equal(build(&w, all[i]), v.Data), "the same records make the same bytes")
	}
}
