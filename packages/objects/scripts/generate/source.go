package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A goType is one type declaration with the markers above it.
type goType struct {
	name    string
	pkg     *goPackage
	file    *goFile
	expr    ast.Expr
	markers markers
}

// A goFile knows what its import names stand for.
type goFile struct{ imports map[string]string }

type goPackage struct {
	packageSource
	types map[string]*goType
	// String constants by name, and by the type they are declared with (in order of declaration).
	constants map[string]string
	enums     map[string][]string
}

type sources map[string]*goPackage

// markers are the `+name` and `+name=value` lines of a comment.
type markers map[string][]string

func (m markers) has(name string) bool { _, ok := m[name]; return ok }

func (m markers) first(name string) string {
	if values := m[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func readMarkers(into markers, group *ast.CommentGroup) {
	if group == nil {
		return
	}
	for _, comment := range group.List {
		line := strings.TrimSpace(strings.TrimPrefix(comment.Text, "//"))
		if !strings.HasPrefix(line, "+") {
			continue
		}
		// Directives for the Gateway API's own generator open with "<"; `:` separates names, `=` the value.
		name, value, _ := strings.Cut(line[1:], "=")
		into[name] = append(into[name], value)
	}
}

func readSource(modules map[string]string) (sources, error) {
	all := sources{}
	for _, p := range packages {
		folder := ""
		for module, dir := range modules {
			if strings.HasPrefix(p.importPath, module+"/") {
				folder = filepath.Join(dir, strings.TrimPrefix(p.importPath, module+"/"))
			}
		}
		if folder == "" {
			return nil, fmt.Errorf("no module in go.mod holds %s", p.importPath)
		}
		pkg, err := readPackage(p, folder)
		if err != nil {
			return nil, err
		}
		all[p.importPath] = pkg
	}
	return all, nil
}

func readPackage(p packageSource, folder string) (*goPackage, error) {
	pkg := &goPackage{packageSource: p, types: map[string]*goType{}, constants: map[string]string{}, enums: map[string][]string{}}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "generated") {
			continue
		}
		parsed, err := parser.ParseFile(files, filepath.Join(folder, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		readFile(pkg, files, parsed)
	}
	return pkg, nil
}

func readFile(pkg *goPackage, files *token.FileSet, parsed *ast.File) {
	file := &goFile{imports: map[string]string{}}
	for _, spec := range parsed.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		name := filepath.Base(path)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		file.imports[name] = path
	}
	for _, decl := range parsed.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				marks := markers{}
				doc := spec.Doc
				if doc == nil {
					doc = general.Doc
				}
				readMarkers(marks, doc)
				// Markers may stand in a comment of their own, one blank line above.
				start := files.Position(general.Pos()).Line
				if doc != nil {
					start = files.Position(doc.Pos()).Line
				}
				for _, group := range parsed.Comments {
					end := files.Position(group.End()).Line
					if group != doc && (end == start-1 || end == start-2) {
						readMarkers(marks, group)
					}
				}
				pkg.types[spec.Name.Name] = &goType{spec.Name.Name, pkg, file, spec.Type, marks}
			case *ast.ValueSpec:
				readConstants(pkg, spec)
			}
		}
	}
}

func readConstants(pkg *goPackage, spec *ast.ValueSpec) {
	for i, name := range spec.Names {
		if i >= len(spec.Values) {
			continue
		}
		literal, ok := spec.Values[i].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			continue
		}
		value, _ := strconv.Unquote(literal.Value)
		pkg.constants[name.Name] = value
		if ident, ok := spec.Type.(*ast.Ident); ok {
			pkg.enums[ident.Name] = append(pkg.enums[ident.Name], value)
		}
	}
}
