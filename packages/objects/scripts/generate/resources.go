package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// A resource is one served resource, from the discovery documents or, for the Gateway API, from the markers of its types.
type resource struct {
	group, version, kind, plural, singular string
	shortNames, categories, subresources   []string
	verbs                                  []string
	namespaced                             bool
	typeKey                                string
}

type discoveryDocument struct {
	Items []struct {
		Metadata struct{ Name string }
		Versions []struct {
			Version   string
			Resources []struct {
				Resource, SingularResource, Scope string
				ResponseKind                      struct{ Kind string }
				ShortNames, Categories, Verbs     []string
				Subresources                      []struct{ Subresource string }
			}
		}
	}
}

func readResources(source sources, kubernetes string) ([]resource, error) {
	var all []resource
	// Core is served below /api and has a document of its own form.
	core, err := readCore(filepath.Join(kubernetes, "api", "discovery", "api__v1.json"))
	if err != nil {
		return nil, err
	}
	all = append(all, core...)
	text, err := os.ReadFile(filepath.Join(kubernetes, "api", "discovery", "aggregated_v2.json"))
	if err != nil {
		return nil, err
	}
	var document discoveryDocument
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, p := range packages {
		known[p.key()] = true
	}
	for _, group := range document.Items {
		for _, version := range group.Versions {
			key := group.Metadata.Name + "/" + version.Version
			if !known[key] {
				continue
			}
			for _, r := range version.Resources {
				made := resource{
					group: group.Metadata.Name, version: version.Version, kind: r.ResponseKind.Kind, plural: r.Resource, singular: r.SingularResource,
					shortNames: r.ShortNames, categories: r.Categories, verbs: r.Verbs, namespaced: r.Scope == "Namespaced",
					typeKey: key + "." + r.ResponseKind.Kind,
				}
				for _, s := range r.Subresources {
					made.subresources = append(made.subresources, s.Subresource)
				}
				all = append(all, made)
			}
		}
	}
	all = append(all, gatewayResources(source["sigs.k8s.io/gateway-api/apis/v1"])...)
	all = append(all, gatewayResources(source["sigs.k8s.io/gateway-api/apis/v1beta1"])...)
	sort.SliceStable(all, func(i, j int) bool {
		return all[i].group+"/"+all[i].version+"."+all[i].plural < all[j].group+"/"+all[j].version+"."+all[j].plural
	})
	return all, nil
}

func readCore(path string) ([]resource, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var document struct {
		Resources []struct {
			Name, SingularName, Kind      string
			Namespaced                    bool
			ShortNames, Categories, Verbs []string
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	byPlural := map[string]*resource{}
	var order []string
	for _, r := range document.Resources {
		plural, subresource, isSub := strings.Cut(r.Name, "/")
		if isSub {
			if byPlural[plural] == nil {
				return nil, fmt.Errorf("discovery: %s stands before %s", r.Name, plural)
			}
			byPlural[plural].subresources = append(byPlural[plural].subresources, subresource)
			continue
		}
		order = append(order, plural)
		byPlural[plural] = &resource{
			version: "v1", kind: r.Kind, plural: plural, singular: r.SingularName, shortNames: r.ShortNames, categories: r.Categories,
			verbs: r.Verbs, namespaced: r.Namespaced, typeKey: "core/v1." + r.Kind,
		}
	}
	var all []resource
	for _, plural := range order {
		all = append(all, *byPlural[plural])
	}
	return all, nil
}

var everyVerb = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}

func gatewayResources(pkg *goPackage) []resource {
	var all []resource
	for name, t := range pkg.types {
		settings := t.markers.first("kubebuilder:resource:categories")
		if settings == "" || !isKind(t) {
			continue
		}
		made := resource{
			group: pkg.group, version: pkg.version, kind: name, plural: strings.ToLower(pluralOf(name)), singular: strings.ToLower(name),
			verbs: everyVerb, namespaced: true, typeKey: pkg.key() + "." + name,
		}
		for i, setting := range strings.Split(settings, ",") {
			key, value, _ := strings.Cut(setting, "=")
			switch {
			case i == 0:
				made.categories = []string{key}
			case key == "scope":
				made.namespaced = value != "Cluster"
			case key == "shortName":
				made.shortNames = strings.Split(value, ";")
			}
		}
		if t.markers.has("kubebuilder:subresource:status") {
			made.subresources = []string{"status"}
		}
		all = append(all, made)
	}
	return all
}

func pluralOf(name string) string {
	switch {
	case strings.HasSuffix(name, "s"):
		return name + "es"
	case strings.HasSuffix(name, "y") && !strings.HasSuffix(name, "ay"):
		return name[:len(name)-1] + "ies"
	}
	return name + "s"
}
