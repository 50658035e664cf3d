// Records what Kubernetes' own evaluator says of its own test pods, at both levels, for pod-security.test.ts.
//
//	cd packages/apiserver/scripts/record-pod-security && go run . > ../../src/admission/testdata/pod-security.json
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

const module = "k8s.io/pod-security-admission"
const version = "v1.34"

type verdict struct {
	Name        string            `json:"name"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Spec        any               `json:"spec"`
	Baseline    string            `json:"baseline,omitempty"`
	Restricted  string            `json:"restricted,omitempty"`
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	folder := strings.TrimSpace(string(must(exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output())))
	evaluator := must(policy.NewEvaluator(policy.DefaultChecks()))
	files := must(filepath.Glob(filepath.Join(folder, "test/testdata/*", version, "*", "*.yaml")))
	sort.Strings(files)
	fmt.Println("[")
	for index, file := range files {
		// What the images are called does not count, and need not be repeated.
		text := bytes.ReplaceAll(must(os.ReadFile(file)), []byte("registry.k8s.io/"), nil)
		var pod corev1.Pod
		if err := yaml.UnmarshalStrict(text, &pod); err != nil {
			must(0, fmt.Errorf("%s: %w", file, err))
		}
		var raw struct{ Spec any }
		if err := yaml.Unmarshal(text, &raw); err != nil {
			must(0, err)
		}
		said := func(level api.Level) string {
			result := policy.AggregateCheckResults(evaluator.EvaluatePod(
				api.LevelVersion{Level: level, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec))
			return result.ForbiddenDetail()
		}
		parts := strings.Split(strings.TrimSuffix(file, ".yaml"), string(filepath.Separator))
		line := must(json.Marshal(verdict{
			Name:        parts[len(parts)-4] + " " + parts[len(parts)-2] + " " + pod.Name,
			Annotations: pod.Annotations,
			Spec:        raw.Spec,
			Baseline:    said(api.LevelBaseline),
			Restricted:  said(api.LevelRestricted),
		}))
		comma := ","
		if index == len(files)-1 {
			comma = ""
		}
		fmt.Printf("%s%s\n", line, comma)
	}
	fmt.Println("]")
}
