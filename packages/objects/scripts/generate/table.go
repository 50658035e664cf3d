package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// A typeRef is what a field holds; exactly one of its members is set. Shape as in src/schema.ts.
type typeRef struct {
	scalar   string
	ref      string
	list     *typeRef
	mapValue *typeRef
	enum     []string // of a scalar
	// The name of the protobuf message that wraps this value, where JSON has none.
	wrapper string
}

func (r typeRef) MarshalJSON() ([]byte, error) {
	switch {
	case r.scalar != "":
		return json.Marshal(r.scalar)
	case r.ref != "":
		return json.Marshal(map[string]string{"ref": r.ref})
	case r.list != nil:
		return json.Marshal(map[string]any{"list": r.list})
	}
	return json.Marshal(map[string]any{"map": r.mapValue})
}

// leaf is what remains of a type when lists and maps are taken away.
func (r typeRef) leaf() typeRef {
	if r.list != nil {
		return r.list.leaf()
	}
	if r.mapValue != nil {
		return r.mapValue.leaf()
	}
	return r
}

// A field is one JSON field with its facts. Order and names of the members are those of FieldSchema in src/schema.ts.
type field struct {
	name          string
	Type          typeRef         `json:"type"`
	Required      bool            `json:"required,omitempty"`
	ListType      string          `json:"listType,omitempty"`
	ListMapKeys   []string        `json:"listMapKeys,omitempty"`
	MapType       string          `json:"mapType,omitempty"`
	PatchStrategy string          `json:"patchStrategy,omitempty"`
	PatchMergeKey string          `json:"patchMergeKey,omitempty"`
	Default       json.RawMessage `json:"default,omitempty"`
	Enum          []string        `json:"enum,omitempty"`
	Proto         int             `json:"proto,omitempty"`
	ProtoWithin   []int           `json:"protoWithin,omitempty"`
	ProtoWrapper  string          `json:"protoWrapper,omitempty"`
	Pointer       bool            `json:"pointer,omitempty"`
	Always        bool            `json:"always,omitempty"`
}

type structType struct {
	key    string
	goName string
	pkg    *goPackage
	fields []field
	atomic bool
	isKind bool
}

type typeTable struct {
	source sources
	types  map[string]*structType
	order  []string
}

// buildTable collects every kind of every package, and all types that they reach.
func buildTable(source sources) (*typeTable, error) {
	table := &typeTable{source: source, types: map[string]*structType{}}
	for _, p := range packages {
		pkg := source[p.importPath]
		for name, t := range pkg.types {
			if isKind(t) && !strings.HasSuffix(name, "Options") || p.group == "meta" && name == "DeleteOptions" {
				if _, err := table.reference(t); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, name := range []string{"Condition", "LabelSelector", "WatchEvent"} {
		if _, err := table.reference(source["k8s.io/apimachinery/pkg/apis/meta/v1"].types[name]); err != nil {
			return nil, err
		}
	}
	for key := range table.types {
		table.order = append(table.order, key)
	}
	sort.Strings(table.order)
	return table, nil
}

// A kind embeds TypeMeta.
func isKind(t *goType) bool {
	s, ok := t.expr.(*ast.StructType)
	if !ok || !ast.IsExported(t.name) {
		return false
	}
	for _, f := range s.Fields.List {
		if len(f.Names) == 0 && strings.HasSuffix(typeText(f.Type), "TypeMeta") {
			return true
		}
	}
	return false
}

func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return typeText(e.X) + "." + e.Sel.Name
	case *ast.StarExpr:
		return typeText(e.X)
	}
	return ""
}

// Types that JSON or protobuf writes in a form of their own.
var special = map[string]typeRef{
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":       {scalar: "Time"},
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":  {scalar: "MicroTime"},
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":   {scalar: "string", wrapper: "Duration"},
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":   {scalar: "json", wrapper: "Raw"},
	"k8s.io/apimachinery/pkg/apis/meta/v1.Verbs":      {list: &typeRef{scalar: "string"}, wrapper: "Items"},
	"k8s.io/apimachinery/pkg/runtime.RawExtension":    {scalar: "json", wrapper: "Raw"},
	"k8s.io/apimachinery/pkg/runtime.Object":          {scalar: "json", wrapper: "Raw"},
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString": {scalar: "IntOrString"},
	"k8s.io/apimachinery/pkg/api/resource.Quantity":   {scalar: "Quantity"},
	"k8s.io/apimachinery/pkg/types.UID":               {scalar: "string"},
	"k8s.io/api/authentication/v1.ExtraValue":         {list: &typeRef{scalar: "string"}, wrapper: "Items"},
	"k8s.io/api/authorization/v1.ExtraValue":          {list: &typeRef{scalar: "string"}, wrapper: "Items"},
	"k8s.io/api/certificates/v1.ExtraValue":           {list: &typeRef{scalar: "string"}, wrapper: "Items"},
	extensions + ".JSON":                              {scalar: "json", wrapper: "Raw"},
	extensions + ".JSONSchemaPropsOrBool":             {scalar: "json", wrapper: "SchemaOrBool"},
	extensions + ".JSONSchemaPropsOrArray":            {scalar: "json", wrapper: "SchemaOrArray"},
	extensions + ".JSONSchemaPropsOrStringArray":      {scalar: "json", wrapper: "SchemaOrStringArray"},
}

const extensions = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

var basics = map[string]string{
	"string": "string", "bool": "boolean", "int32": "int32", "uint16": "int32", "int": "int64", "int64": "int64", "uint64": "int64",
	"uint32": "int64", "float64": "double", "float32": "double", "byte": "int32", "uint8": "int32",
}

func (table *typeTable) reference(t *goType) (typeRef, error) {
	if found, ok := special[t.pkg.importPath+"."+t.name]; ok {
		return found, nil
	}
	if s, ok := t.expr.(*ast.StructType); ok {
		key := t.pkg.key() + "." + t.name
		if table.types[key] == nil {
			made := &structType{key: key, goName: t.name, pkg: t.pkg, atomic: t.markers.first("structType") == "atomic", isKind: isKind(t)}
			table.types[key] = made
			fields, err := table.fields(t, s)
			if err != nil {
				return typeRef{}, err
			}
			made.fields = fields
		}
		return typeRef{ref: key}, nil
	}
	found, err := table.resolve(t.expr, t.pkg, t.file)
	if err != nil {
		return typeRef{}, err
	}
	if found.scalar == "string" {
		if t.markers.has("enum") {
			found.enum = append([]string{}, t.pkg.enums[t.name]...)
			sort.Strings(found.enum)
		} else if values := t.markers.first("kubebuilder:validation:Enum"); values != "" {
			found.enum = strings.Split(strings.ReplaceAll(values, `"`, ""), ";")
		}
	}
	return found, nil
}

func (table *typeTable) resolve(e ast.Expr, pkg *goPackage, file *goFile) (typeRef, error) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return table.resolve(e.X, pkg, file)
	case *ast.Ident:
		if basic, ok := basics[e.Name]; ok {
			return typeRef{scalar: basic}, nil
		}
		if t := pkg.types[e.Name]; t != nil {
			return table.reference(t)
		}
	case *ast.SelectorExpr:
		path := file.imports[typeText(e.X)]
		if found, ok := special[path+"."+e.Sel.Name]; ok {
			return found, nil
		}
		if other := table.source[path]; other != nil && other.types[e.Sel.Name] != nil {
			return table.reference(other.types[e.Sel.Name])
		}
		return typeRef{}, fmt.Errorf("%s: unknown type %s.%s", pkg.importPath, path, e.Sel.Name)
	case *ast.ArrayType:
		if ident, ok := e.Elt.(*ast.Ident); ok && ident.Name == "byte" {
			return typeRef{scalar: "bytes"}, nil
		}
		item, err := table.resolve(e.Elt, pkg, file)
		return typeRef{list: &item}, err
	case *ast.MapType:
		value, err := table.resolve(e.Value, pkg, file)
		return typeRef{mapValue: &value}, err
	case *ast.InterfaceType:
		return typeRef{scalar: "json"}, nil
	}
	return typeRef{}, fmt.Errorf("%s: unknown type %v", pkg.importPath, e)
}

func (table *typeTable) fields(t *goType, s *ast.StructType) ([]field, error) {
	var all []field
	for _, f := range s.Fields.List {
		tag := reflect.StructTag("")
		if f.Tag != nil {
			text, _ := strconv.Unquote(f.Tag.Value)
			tag = reflect.StructTag(text)
		}
		jsonTag := strings.Split(tag.Get("json"), ",")
		proto, err := protoNumber(tag)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		if jsonTag[0] == "-" {
			continue
		}
		if len(f.Names) == 0 && jsonTag[0] == "" {
			inlined, err := table.inlined(t, f, proto)
			if err != nil {
				return nil, err
			}
			all = append(all, inlined...)
			continue
		}
		if jsonTag[0] == "" {
			continue
		}
		made, err := table.field(t, f, tag, jsonTag, proto)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t.name, jsonTag[0], err)
		}
		all = append(all, made)
	}
	return all, nil
}

// inlined gives the fields of an embedded struct. In protobuf they stay in a message of their own.
func (table *typeTable) inlined(t *goType, f *ast.Field, proto int) ([]field, error) {
	ref, err := table.resolve(f.Type, t.pkg, t.file)
	if err != nil {
		return nil, err
	}
	inner := table.types[ref.ref]
	if inner == nil {
		return nil, fmt.Errorf("%s: embeds %s, which is no struct", t.name, typeText(f.Type))
	}
	copied := make([]field, len(inner.fields))
	copy(copied, inner.fields)
	for i := range copied {
		if copied[i].Proto == 0 {
			continue
		}
		if proto == 0 { // TypeMeta: the envelope carries it
			copied[i].Proto = 0
			continue
		}
		copied[i].ProtoWithin = append([]int{proto}, copied[i].ProtoWithin...)
	}
	return copied, nil
}

func protoNumber(tag reflect.StructTag) (int, error) {
	parts := strings.Split(tag.Get("protobuf"), ",")
	if len(parts) < 2 {
		return 0, nil
	}
	return strconv.Atoi(parts[1])
}

func (table *typeTable) field(t *goType, f *ast.Field, tag reflect.StructTag, jsonTag []string, proto int) (field, error) {
	marks := markers{}
	readMarkers(marks, f.Doc)
	found, err := table.resolve(f.Type, t.pkg, t.file)
	if err != nil {
		return field{}, err
	}
	omitted := contains(jsonTag, "omitempty") || contains(jsonTag, "omitzero")
	_, pointer := f.Type.(*ast.StarExpr)
	made := field{
		name:          jsonTag[0],
		Type:          found,
		Required:      isRequired(marks, omitted),
		ListType:      marks.first("listType"),
		ListMapKeys:   marks["listMapKey"],
		MapType:       marks.first("mapType"),
		PatchStrategy: tag.Get("patchStrategy"),
		PatchMergeKey: tag.Get("patchMergeKey"),
		Enum:          found.leaf().enum,
		Proto:         proto,
		ProtoWrapper:  wrapperOf(found),
		Pointer:       pointer,
		Always:        !omitted,
	}
	if structType := marks.first("structType"); structType != "" {
		made.MapType = structType
	}
	if values := marks.first("kubebuilder:validation:Enum"); values != "" && found.leaf().scalar == "string" {
		made.Enum = strings.Split(strings.ReplaceAll(values, `"`, ""), ";")
	}
	made.Default, err = defaultOf(marks, t.pkg)
	return made, err
}

// Lists and maps of wrapped values carry the wrapper of the value.
func wrapperOf(r typeRef) string {
	switch {
	case r.wrapper != "":
		return r.wrapper
	case r.list != nil:
		return wrapperOf(*r.list)
	case r.mapValue != nil:
		return wrapperOf(*r.mapValue)
	}
	return ""
}

// As kube-openapi reads them: a marker decides; without one, omitempty does.
func isRequired(marks markers, omitted bool) bool {
	switch {
	case marks.has("optional"), marks.has("k8s:optional"):
		return false
	case marks.has("required"), marks.has("k8s:required"), marks.has("kubebuilder:validation:Required"):
		return true
	}
	return !omitted
}

var constantReference = regexp.MustCompile(`^ref\((?:.*\.)?(\w+)\)$`)

func defaultOf(marks markers, pkg *goPackage) (json.RawMessage, error) {
	text := marks.first("default")
	if text == "" {
		value, err := parseMarkerValue(marks.first("kubebuilder:default"))
		if err != nil || value == nil {
			return nil, err
		}
		return json.Marshal(value)
	}
	if match := constantReference.FindStringSubmatch(text); match != nil {
		value, ok := pkg.constants[match[1]]
		if !ok {
			return nil, fmt.Errorf("default: no constant %s", match[1])
		}
		return json.Marshal(value)
	}
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("default: not JSON: %s", text)
	}
	return json.RawMessage(text), nil
}

func contains(all []string, one string) bool {
	for _, each := range all {
		if each == one {
			return true
		}
	}
	return false
}
