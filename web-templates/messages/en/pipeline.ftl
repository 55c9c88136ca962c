# Definitions: the file as a whole
pipeline-path = “{ $path }” is not a path to a definition: it must be below the repository’s root, without “..”.
pipeline-kind-unknown = “{ $path }” is neither a Jenkinsfile nor a .yml file; name it so that it can be read.
pipeline-too-large = The definition is larger than { $longest } bytes.
pipeline-not-utf8 = The definition is not UTF-8 text from here on.
pipeline-empty = The definition is empty.
pipeline-more-findings = Only the first { $shown } findings are shown.
pipeline-too-deep = Blocks are nested too deeply here.
pipeline-too-many-stages = A pipeline may have at most { $most } stages.
pipeline-too-many-steps = A pipeline may have at most { $most } steps.
pipeline-too-many-variables = One block may have at most { $most } variables.
pipeline-too-many-inputs = A pipeline may have at most { $most } inputs.
pipeline-too-many-branches = A pipeline may have at most { $most } branch patterns.
pipeline-branch-glob = “{ $glob }” is not a branch pattern. Use names with “*”, “**”, “?” or “[a-z]”; “!” is not available.
pipeline-dir = “{ $path }” is not a folder below the workspace’s root, written without variables.
pipeline-stage-name = “{ $name }” cannot be a stage’s name: 1 to 100 visible characters, without variables.
pipeline-stage-twice = Duplicate stage name: "{ $name }"
pipeline-no-stages = No stages specified.
pipeline-variable-name = “{ $name }” is not a variable name: a letter or “_”, then letters, digits and “_”.
pipeline-variable-twice = The variable “{ $name }” is set twice in this block.
pipeline-variable-nul = The value of “{ $name }” has a NUL character.
pipeline-unknown-variable = There is no variable “{ $name }” here: neither the server nor this definition sets it.
pipeline-unknown-variable-similar = There is no variable “{ $name }” here; did you mean “{ $known }”?
pipeline-text-too-long = With its variables put in, this text is longer than { $longest } bytes.
pipeline-environment-too-large = The environment is larger than { $longest } bytes.

# Numbered scripts
pipeline-script-name = “{ $name }” has a number but cannot be run: name it like “00-verify.sh”, “00-verify.bat” or “00-verify”, in letters, digits, “-” and “_”.
pipeline-no-scripts = There is no numbered script such as “00-verify.sh” in “{ $path }”.

# Inputs
pipeline-input-unknown = This pipeline has no input “{ $name }”.
pipeline-input-unknown-similar = This pipeline has no input “{ $name }”; did you mean “{ $known }”?
pipeline-input-missing = The input “{ $name }” needs a value.
pipeline-input-too-long = The value of “{ $name }” is longer than { $longest } bytes.
pipeline-input-one-line = The value of “{ $name }” must be one line.
pipeline-input-boolean = “{ $name }” must be true or false, not “{ $value }”.
pipeline-input-number = “{ $name }” must be a number, not “{ $value }”.
pipeline-input-choice = “{ $name }” cannot be “{ $value }”; choose one of: { $choices }.
pipeline-input-builtin = “{ $name }” is set by the server and cannot be an input.
pipeline-input-type = There is no input type “{ $value }”; use one of: { $known }.
pipeline-input-choices-missing = An input of type choice needs “choices”, a list of 1 to 200 values.
pipeline-input-choices-extra = “choices” belongs to inputs of type choice only.

# ropewalk.yml
pipeline-yaml = This is not valid YAML: { $problem }
pipeline-yaml-tag = YAML tags are not used here; remove it.
pipeline-yaml-documents = One file holds one pipeline; remove the second YAML document.
pipeline-yaml-nul = A value may not have a NUL character.
pipeline-yaml-alias = This alias points to nothing that is complete before it.
pipeline-yaml-key = A key must be a plain name.
pipeline-yaml-too-large = With its aliases put in, the definition is too large.
pipeline-key-twice = The key “{ $key }” stands here twice.
pipeline-key-unknown = There is no key “{ $key }” here. Known keys: { $known }.
pipeline-key-similar = There is no key “{ $key }” here; did you mean “{ $known }”?
pipeline-key-missing = The key “{ $key }” is missing here.
pipeline-empty-list = The list “{ $key }” is empty; fill it or leave it out.
pipeline-want-text = “{ $key }” must be a text.
pipeline-want-list = “{ $key }” must be a list.
pipeline-want-map = “{ $key }” must be a map of keys and values.
pipeline-want-boolean = “{ $key }” must be true or false.
pipeline-timeout = “{ $value }” is not a time limit: write 90s, 30m, 1h30m or 2d, at most seven days.
pipeline-variable-open = In “{ $key }” a variable is not closed: write { $example }, or { $literal } for the characters themselves.
pipeline-step-kind = A step has either “run” or “echo”.

# Jenkinsfile: the text
pipeline-string-open = This string does not end.
pipeline-comment-open = This comment does not end.
pipeline-escape = “{ $escape }” is not an escape in Groovy; write two backslashes for one.
pipeline-dollar = Illegal string body character after dollar sign: in double quotes write { $example } for a dollar sign, or use single quotes.
pipeline-slashy = Strings between slashes are not read; use quotes.
pipeline-bracket-other = “{ $found }” stands where “{ $expected }” should close line { $line }.
pipeline-bracket-extra = “{ $found }” closes nothing.
pipeline-bracket-open = “{ $opener }” is never closed with “{ $expected }”.
pipeline-unexpected = Unexpected “{ $found }”.
pipeline-value-missing = A value is missing here.
pipeline-expression = “{ $code }” is Groovy code; only strings, variables and “+” between them are carried out.
pipeline-params = “{ $name }” has no value, since “parameters” is not carried out; use “inputs” in ropewalk.yml.

# Jenkinsfile: the sections
pipeline-none = There is no “pipeline” block.
pipeline-scripted = “{ $name }” outside a “pipeline” block is a scripted pipeline; only declarative ones are carried out.
pipeline-outside = “{ $name }” stands outside the “pipeline” block and is not carried out.
pipeline-section-missing = Missing required section "{ $name }"
pipeline-section-twice = “{ $name }” may stand here only once.
pipeline-unknown-section = Undefined section “{ $name }”.
pipeline-unknown-section-similar = Undefined section “{ $name }”, did you mean “{ $known }”?
pipeline-needs-block = “{ $name }” needs a block in braces, and nothing else.
pipeline-environment-entry = “{ $found }” is not of the form NAME = 'value'.
pipeline-agent-empty = “agent” needs a type; write “agent any”.
pipeline-agent-none = “agent none” is not carried out; write “agent any”.
pipeline-agent-other = The agent “{ $name }” is not available: there is one kind of agent; write “agent any”.
pipeline-agent-image = The agent “{ $name }” is not carried out; write “agent any”, and name images in ropewalk.yml (“image”).
pipeline-agent-unknown = Invalid agent type "{ $name }" specified. Must be one of [{ $known }]
pipeline-stage-work-missing = Expected one of "steps", "stages", or "parallel" for stage "{ $stage }"
pipeline-stage-work-many = Only one of "matrix", "parallel", "stages", or "steps" allowed for stage "{ $stage }"
pipeline-no-steps = The stage "{ $stage }" has no steps.

# Jenkinsfile: the steps
pipeline-unknown-step = There is no step “{ $name }”. Carried out are: { $known }.
pipeline-unknown-step-similar = There is no step “{ $name }”, did you mean “{ $known }”?
pipeline-groovy = “{ $name }” is Groovy code and is not carried out; write it in the shell.
pipeline-step-needs = “{ $step }” needs the argument “{ $argument }”.
pipeline-argument-unsupported = The argument “{ $name }” of “{ $step }” is not carried out.
pipeline-argument-similar = Invalid parameter "{ $name }", did you mean "{ $known }"?
pipeline-unsupported = “{ $name }” is not carried out.
pipeline-no-options = “{ $name }” is not carried out; time limits can be set with “timeout” in ropewalk.yml.
pipeline-no-parameters = “parameters” is not carried out; use “inputs” in ropewalk.yml.
pipeline-no-triggers = “triggers” is not carried out; pushes start runs by themselves, so remove it.
pipeline-no-tools = “{ $name }” is not carried out; put the tools in the image that the steps run in.
pipeline-no-libraries = “{ $name }”: shared libraries are not carried out; put scripts in the repository.
pipeline-no-post = “post” is not carried out.
pipeline-no-when = “when” is not carried out; give the pipeline branches of its own instead.
pipeline-no-input = “input” is not carried out: a run does not wait for an answer.
pipeline-no-parallel = “{ $name }” inside a stage is not carried out; write its stages one after another.
pipeline-no-script = “script” is Groovy code and is not carried out; write it in the shell.
pipeline-no-credentials = “{ $name }” is not available here. A stored variable comes from an entry TOKEN = credentials('NAME') in environment.
pipeline-no-with-env = “withEnv” is not carried out; use “environment” in the stage.
pipeline-no-checkout = “{ $name }” is not needed: the commit is already in the workspace; remove it.
pipeline-no-archive = “{ $name }” is not carried out: files are not kept beyond the run.
pipeline-no-powershell = “{ $name }” is not available in the steps’ images; use “sh”.
pipeline-no-docker = “{ $name }” is not carried out; call the docker program with “sh”.
