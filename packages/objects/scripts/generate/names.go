package main

import "strings"

// nameTypes gives every type of the table its name in TypeScript: the Go name, or a longer one where another package has taken it.
func nameTypes(table *typeTable, resources []resource) map[string]string {
	names, taken := map[string]string{}, map[string]bool{}
	for _, p := range packages {
		for _, key := range table.order {
			if !strings.HasPrefix(key, p.key()+".") {
				continue
			}
			name := table.types[key].goName
			if taken[name] {
				if strings.HasPrefix(p.word, "+") {
					name += p.word[1:]
				} else {
					name = p.word + name
				}
			}
			taken[name] = true
			names[key] = name
		}
	}
	return names
}

// constantOf names a resource by its plural in the spelling of its kind: Pods, EndpointSlices, NetworkPolicies. What makes the
// type's name longer than the kind stays where it is: EventsEvents, HorizontalPodAutoscalersV1.
func constantOf(r resource, names map[string]string) string {
	name, before, after := names[r.typeKey], "", ""
	if strings.HasSuffix(name, r.kind) {
		before = strings.TrimSuffix(name, r.kind)
	} else {
		after = strings.TrimPrefix(name, r.kind)
	}
	singular := strings.ToLower(r.kind)
	if strings.HasPrefix(r.plural, singular) {
		return before + r.kind + r.plural[len(singular):] + after
	}
	return before + r.kind[:len(r.kind)-1] + "ies" + after
}
