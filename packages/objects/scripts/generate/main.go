// Command generate writes the table of kinds, the TypeScript types and the list of resources of @flotilla/objects from the
// Go sources of Kubernetes and of the Gateway API. It reads facts only: names, types, markers and struct tags.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A packageSource is one Go package whose types become part of the table.
type packageSource struct {
	importPath string
	group      string // "" for core; "meta" for apimachinery's meta/v1
	version    string
	// The word put before (or, if it starts with "+", after) names that another package has already taken.
	word string
}

// The order decides who keeps a name that several packages use.
var packages = []packageSource{
	{"k8s.io/api/core/v1", "", "v1", "Core"},
	{"k8s.io/apimachinery/pkg/apis/meta/v1", "meta", "v1", "Meta"},
	{"k8s.io/api/apps/v1", "apps", "v1", "Apps"},
	{"k8s.io/api/batch/v1", "batch", "v1", "Batch"},
	{"k8s.io/api/networking/v1", "networking.k8s.io", "v1", "Networking"},
	{"k8s.io/api/discovery/v1", "discovery.k8s.io", "v1", "Discovery"},
	{"k8s.io/api/autoscaling/v2", "autoscaling", "v2", "+V2"},
	{"k8s.io/api/autoscaling/v1", "autoscaling", "v1", "+V1"},
	{"k8s.io/api/policy/v1", "policy", "v1", "Policy"},
	{"k8s.io/api/rbac/v1", "rbac.authorization.k8s.io", "v1", "Rbac"},
	{"k8s.io/api/authentication/v1", "authentication.k8s.io", "v1", "Authentication"},
	{"k8s.io/api/storage/v1", "storage.k8s.io", "v1", "Storage"},
	{"k8s.io/api/coordination/v1", "coordination.k8s.io", "v1", "Coordination"},
	{"k8s.io/api/events/v1", "events.k8s.io", "v1", "Events"},
	{"k8s.io/api/scheduling/v1", "scheduling.k8s.io", "v1", "Scheduling"},
	{"k8s.io/api/node/v1", "node.k8s.io", "v1", "Node"},
	{"k8s.io/api/admissionregistration/v1", "admissionregistration.k8s.io", "v1", "Admission"},
	{"k8s.io/api/certificates/v1", "certificates.k8s.io", "v1", "Certificate"},
	{"k8s.io/api/authorization/v1", "authorization.k8s.io", "v1", "Authorization"},
	{"k8s.io/api/flowcontrol/v1", "flowcontrol.apiserver.k8s.io", "v1", "FlowControl"},
	{"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1", "apiextensions.k8s.io", "v1", "CustomResource"},
	{"k8s.io/kube-aggregator/pkg/apis/apiregistration/v1", "apiregistration.k8s.io", "v1", "APIService"},
	{"sigs.k8s.io/gateway-api/apis/v1", "gateway.networking.k8s.io", "v1", "Gateway"},
	// ReferenceGrant; the other kinds of this version are names for those of v1.
	{"sigs.k8s.io/gateway-api/apis/v1beta1", "gateway.networking.k8s.io", "v1beta1", "Gateway"},
}

// Key is how the table names the package's types: "core/v1", "meta/v1", "apps/v1".
func (p packageSource) key() string {
	if p.group == "" {
		return "core/" + p.version
	}
	return p.group + "/" + p.version
}

func main() {
	log.SetFlags(0)
	modules, err := fetchModules()
	if err != nil {
		log.Fatal(err)
	}
	source, err := readSource(modules)
	if err != nil {
		log.Fatal(err)
	}
	table, err := buildTable(source)
	if err != nil {
		log.Fatal(err)
	}
	resources, err := readResources(source, modules["k8s.io/kubernetes"])
	if err != nil {
		log.Fatal(err)
	}
	names := nameTypes(table, resources)
	out := filepath.Join("..", "..", "src", "generated")
	files := map[string]string{
		"table.js":     writeTable(table),
		"types.ts":     writeTypes(table, names, resources),
		"resources.ts": writeResources(resources, names),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	log.Printf("%d types, %d resources", len(table.order), len(resources))
}

// fetchModules downloads the modules that go.mod pins and returns the folder of each.
func fetchModules() (map[string]string, error) {
	text, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		return nil, fmt.Errorf("read go.mod: %w", err)
	}
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(text, &mod); err != nil {
		return nil, err
	}
	args := []string{"mod", "download", "-json"}
	for _, r := range mod.Require {
		args = append(args, r.Path+"@"+r.Version)
	}
	text, err = exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	folders := map[string]string{}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	for decoder.More() {
		var module struct{ Path, Dir string }
		if err := decoder.Decode(&module); err != nil {
			return nil, err
		}
		folders[module.Path] = module.Dir
	}
	return folders, nil
}
