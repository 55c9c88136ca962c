docker version && docker-compose version
