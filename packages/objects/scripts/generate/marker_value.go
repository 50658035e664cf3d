package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// parseMarkerValue reads a value as controller-gen's markers write it: lists and maps in braces, strings with or without quotes.
func parseMarkerValue(text string) (any, error) {
	if text == "" {
		return nil, nil
	}
	p := &markerParser{rest: text}
	value, err := p.value("")
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("marker value %q: unexpected %q", text, p.rest)
	}
	return value, err
}

type markerParser struct{ rest string }

func (p *markerParser) next(char string) bool {
	p.rest = strings.TrimSpace(p.rest)
	if strings.HasPrefix(p.rest, char) {
		p.rest = p.rest[1:]
		return true
	}
	return false
}

// value reads one value; a bare word ends at one of the characters of `until`.
func (p *markerParser) value(until string) (any, error) {
	if p.next("{") {
		return p.braces()
	}
	if strings.HasPrefix(p.rest, `"`) {
		decoder := json.NewDecoder(strings.NewReader(p.rest))
		var value string
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		p.rest = p.rest[decoder.InputOffset():]
		return value, nil
	}
	end := len(p.rest)
	if until != "" {
		if i := strings.IndexAny(p.rest, until); i >= 0 {
			end = i
		}
	}
	word := strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end:]
	var value any
	if json.Unmarshal([]byte(word), &value) == nil {
		return value, nil
	}
	return word, nil
}

// braces reads what follows an opening brace: a map if its first item has a key, a list otherwise.
func (p *markerParser) braces() (any, error) {
	list, entries := []any{}, map[string]any{}
	for !p.next("}") {
		item, err := p.value(":,}")
		if err != nil {
			return nil, err
		}
		if p.next(":") {
			p.rest = strings.TrimSpace(p.rest)
			value, err := p.value(",}")
			if err != nil {
				return nil, err
			}
			entries[fmt.Sprint(item)] = value
		} else {
			list = append(list, item)
		}
		if !p.next(",") && !strings.HasPrefix(p.rest, "}") {
			return nil, fmt.Errorf("marker value: expected , or } before %q", p.rest)
		}
	}
	if len(entries) > 0 {
		return entries, nil
	}
	return list, nil
}
