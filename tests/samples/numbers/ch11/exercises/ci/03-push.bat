docker-compose -f docker-compose.yml -f docker-compose-build.yml push
