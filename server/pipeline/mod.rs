//! Front ends that read `Jenkinsfile`, `ropewalk.yml` and numbered scripts into the one model.
