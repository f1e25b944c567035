package orders

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A broker for a test: `skua test-broker`, which ends with this process. SKUA is the command, `npx skua` by default.
type skuaBroker struct {
	NamesrvAddr string `json:"namesrvAddr"`
	Control     string `json:"control"`
}

func startBroker(t *testing.T, options ...string) *skuaBroker {
	t.Helper()
	skua := os.Getenv("SKUA")
	if skua == "" {
		skua = "npx skua"
	}
	command := append(strings.Fields(skua), append([]string{"test-broker"}, options...)...)
	process := exec.Command(command[0], command[1:]...)
	process.Stderr = os.Stderr
	// A pipe that closes when this process ends, however it does.
	input, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		process.Wait()
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("skua test-broker did not start: %v", err)
	}
	broker := &skuaBroker{}
	if err := json.Unmarshal([]byte(line), broker); err != nil {
		t.Fatal(err)
	}
	return broker
}

// Sends JSON to the control endpoint; an error has the text of its answer.
func (b *skuaBroker) ask(method, path string, body interface{}) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, b.Control+path, strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	told, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != 200 {
		return fmt.Errorf("%d: %s", answer.StatusCode, told)
	}
	return nil
}

func (b *skuaBroker) advance(t *testing.T, duration string) {
	t.Helper()
	if err := b.ask("POST", "/clock/advance", map[string]string{"by": duration}); err != nil {
		t.Fatal(err)
	}
}
